-- Awards in (since, until] that were made, or told to the app, another number of times than once: user_id, code, awards,
-- events.
-- Cost: all awards and the feed; the simulation alone asks.
WITH awarded AS (
    SELECT user_id, code, count(*) AS times
    FROM user_achievements
    WHERE awarded_at > %(since)s
      AND awarded_at <= %(until)s
    GROUP BY user_id, code
),
told AS (
    SELECT user_id, payload ->> 'code' AS code, count(*) AS times
    FROM app_events
    WHERE kind = 'achievement.awarded'
      AND created_at > %(since)s
      AND created_at <= %(until)s
    GROUP BY user_id, code
)
SELECT coalesce(awarded.user_id, told.user_id) AS user_id,
       coalesce(awarded.code, told.code) AS code,
       coalesce(awarded.times, 0) AS awards,
       coalesce(told.times, 0) AS events
FROM awarded
FULL JOIN told ON told.user_id = awarded.user_id AND told.code = awarded.code
WHERE awarded.times IS DISTINCT FROM 1
   OR told.times IS DISTINCT FROM 1
