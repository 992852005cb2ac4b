-- Counts learners anew from the history and returns those whose kept counters differ, and those from before days were kept
-- who were never counted: the learner, whether their days are to be written anew, whether history and counters disagree
-- (days that were never counted do not), and both as JSON.
-- History and counters are of one snapshot, and a batch of attempts changes both in one transaction: a difference is drift,
-- not haste. Days are compared one by one under the rule they were counted by; in sum only, once that rule has changed.
-- Instants count as in the pipeline: an `attempted_at` more than 5 minutes ahead of the server's clock counts as the
-- moment of receipt.
-- Cost: linear in the learners' attempts and cards. Carried by pk_user_stats, idx_question_attempts_user, pk_user_days and
-- uq_srs_cards_item.
WITH learner AS MATERIALIZED (
    SELECT stats.*,
           coalesce(stats.day_zone, users.timezone) AS zone,
           coalesce(stats.day_start_hour, preference.day_start_hour, 4) AS start_hour
    FROM user_stats AS stats
    JOIN users ON users.id = stats.user_id
    LEFT JOIN user_preferences AS preference ON preference.user_id = stats.user_id
    WHERE stats.user_id = ANY (%(user_ids)s::uuid[])
),
counted AS (
    SELECT learner.user_id,
           (wall_clock - make_interval(hours => start_hour))::date AS local_date,
           count(*) AS attempts,
           count(*) FILTER (WHERE attempt.is_correct) AS correct,
           sum(attempt.score) AS score_total,
           count(*) FILTER (WHERE extract(hour FROM wall_clock) BETWEEN 4 AND 6) AS early,
           count(*) FILTER (WHERE extract(hour FROM wall_clock) NOT BETWEEN 4 AND 21) AS late
    FROM learner
    JOIN question_attempts AS attempt USING (user_id)
    CROSS JOIN LATERAL (
        SELECT CASE
                   WHEN attempt.attempted_at <= attempt.received_at + interval '5 minutes' THEN attempt.attempted_at
                   ELSE attempt.received_at
               END AT TIME ZONE learner.zone AS wall_clock
    ) AS local
    GROUP BY 1, 2
),
history AS (
    SELECT user_id, sum(attempts) AS attempts, sum(correct) AS correct, sum(score_total) AS score_total,
           array_agg((local_date, attempts, correct, early, late)::text ORDER BY local_date) AS days
    FROM counted
    GROUP BY user_id
),
kept AS (
    SELECT user_id, sum(attempts) AS attempts, sum(correct) AS correct,
           array_agg((local_date, attempts, correct, early, late)::text ORDER BY local_date) AS days
    FROM user_days
    WHERE user_id = ANY (%(user_ids)s::uuid[])
    GROUP BY user_id
),
mature AS (
    SELECT user_id, count(*) AS cards
    FROM srs_cards
    WHERE user_id = ANY (%(user_ids)s::uuid[]) AND interval >= %(mature_days)s::integer
    GROUP BY user_id
),
compared AS (
    SELECT learner.user_id,
           learner.has_all_days,
           learner.attempts <> coalesce(history.attempts, 0)
               OR learner.correct <> coalesce(history.correct, 0)
               OR learner.score_total <> coalesce(history.score_total, 0) AS differs_in_sum,
           CASE WHEN learner.day_rule_changes = 0 THEN kept.days IS DISTINCT FROM history.days
                ELSE (kept.attempts, kept.correct) IS DISTINCT FROM (history.attempts, history.correct)
           END AS differs_in_days,
           learner.cards_mature <> coalesce(mature.cards, 0) AS differs_in_cards,
           jsonb_build_object(
               'attempts', learner.attempts, 'correct', learner.correct, 'score_total', learner.score_total,
               'cards_mature', learner.cards_mature, 'days', cardinality(coalesce(kept.days, '{}'))
           ) AS stored,
           jsonb_build_object(
               'attempts', coalesce(history.attempts, 0), 'correct', coalesce(history.correct, 0),
               'score_total', coalesce(history.score_total, 0), 'cards_mature', coalesce(mature.cards, 0),
               'days', cardinality(coalesce(history.days, '{}'))
           ) AS recounted
    FROM learner
    LEFT JOIN history USING (user_id)
    LEFT JOIN kept USING (user_id)
    LEFT JOIN mature USING (user_id)
)
SELECT user_id,
       differs_in_sum OR differs_in_days OR NOT has_all_days AS rebuild_days,
       differs_in_sum OR (differs_in_days AND has_all_days) AS is_drift,
       stored,
       recounted
FROM compared
WHERE differs_in_sum OR differs_in_days OR differs_in_cards OR NOT has_all_days
ORDER BY user_id
