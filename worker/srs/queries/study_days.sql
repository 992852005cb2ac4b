-- Returns what learners did on each local day from `since` on (NULL: ever), all learners together, the earliest day first:
-- answers, time, items answered for the first time, reviews, and how many of those were recalled; of items last seen three
-- weeks or more before ("mature") apart. A review is the first answer of a local day to an item answered on an earlier day.
-- Instants and times count as in the pipeline: `attempted_at` more than 5 minutes ahead of the server's clock counts as the
-- instant of reception, a time above an hour as unknown.
-- Cost: the learners' attempts in all partitions, sorted by item and day; idx_question_attempts_user.
WITH answer AS (
    SELECT attempt.user_id,
           attempt.question_id,
           ((CASE
                 WHEN attempt.attempted_at <= attempt.received_at + interval '5 minutes' THEN attempt.attempted_at
                 ELSE attempt.received_at
             END AT TIME ZONE learner.timezone)
            - make_interval(hours => coalesce(preference.day_start_hour, %(day_start_hour)s::smallint)))::date AS on_day,
           attempt.score = 1 AS recalled,
           CASE WHEN attempt.time_spent_ms <= 3600000 THEN attempt.time_spent_ms END AS time_spent_ms,
           attempt.attempted_at,
           attempt.id
    FROM question_attempts AS attempt
    JOIN users AS learner ON learner.id = attempt.user_id
    LEFT JOIN user_preferences AS preference ON preference.user_id = attempt.user_id
    WHERE attempt.user_id = ANY (%(user_ids)s::uuid[])
),
item_day AS (
    SELECT user_id,
           on_day,
           count(*) AS answers,
           coalesce(sum(time_spent_ms), 0) AS time_spent_ms,
           (array_agg(recalled ORDER BY attempted_at, id))[1] AS recalled,
           on_day - lag(on_day) OVER (PARTITION BY user_id, question_id ORDER BY on_day) AS days_since
    FROM answer
    GROUP BY user_id, question_id, on_day
)
SELECT on_day,
       count(DISTINCT user_id) AS learners,
       sum(answers)::bigint AS answers,
       sum(time_spent_ms)::bigint AS time_spent_ms,
       count(*) FILTER (WHERE days_since IS NULL) AS new,
       count(days_since) AS reviews,
       count(*) FILTER (WHERE days_since IS NOT NULL AND recalled) AS recalled,
       count(*) FILTER (WHERE days_since >= 21) AS mature_reviews,
       count(*) FILTER (WHERE days_since >= 21 AND recalled) AS mature_recalled
FROM item_day
WHERE %(since)s::date IS NULL OR on_day >= %(since)s::date
GROUP BY on_day
ORDER BY on_day
