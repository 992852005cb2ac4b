-- Ranges of learner ids, `shard_users` learners each, that together hold every active learner without a queue for their
-- local day exactly once: first id, last id. No row when everyone has a queue.
-- Cost: all active learners once (scan, and an anti-join with pk_srs_due_queues).
WITH day AS (
    SELECT *
    FROM unnest(%(timezones)s::text[], %(day_start_hours)s::smallint[], %(local_dates)s::date[])
        AS day (timezone, day_start_hour, local_date)
),
numbered AS (
    SELECT learner.id,
           lag(learner.id) OVER by_id AS previous_id,
           row_number() OVER by_id - 1 AS position
    FROM users AS learner
    LEFT JOIN user_preferences AS preference ON preference.user_id = learner.id
    JOIN day
        ON day.timezone = learner.timezone
        AND day.day_start_hour = coalesce(preference.day_start_hour, %(day_start_hour)s)
    WHERE learner.is_active
      AND NOT EXISTS (
          SELECT FROM srs_due_queues AS queue
          WHERE queue.user_id = learner.id AND queue.local_date = day.local_date
      )
    WINDOW by_id AS (ORDER BY learner.id)
)
SELECT id AS first,
       coalesce(lead(previous_id) OVER (ORDER BY id), (SELECT id FROM numbered ORDER BY id DESC LIMIT 1)) AS last
FROM numbered
WHERE position %% %(shard_users)s = 0
ORDER BY id
