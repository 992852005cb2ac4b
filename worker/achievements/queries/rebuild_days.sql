-- Writes the local days of learners anew from the history, by the rule in their counters; the old ones are gone.
-- Instants count as in `recount`.
-- Cost: linear in the learners' attempts. Carried by idx_question_attempts_user and pk_user_stats.
INSERT INTO user_days (user_id, local_date, attempts, correct, early, late)
SELECT stats.user_id,
       (wall_clock - make_interval(hours => stats.day_start_hour))::date,
       count(*),
       count(*) FILTER (WHERE attempt.is_correct),
       count(*) FILTER (WHERE extract(hour FROM wall_clock) BETWEEN 4 AND 6),
       count(*) FILTER (WHERE extract(hour FROM wall_clock) NOT BETWEEN 4 AND 21)
FROM user_stats AS stats
JOIN question_attempts AS attempt ON attempt.user_id = stats.user_id
CROSS JOIN LATERAL (
    SELECT CASE
               WHEN attempt.attempted_at <= attempt.received_at + interval '5 minutes' THEN attempt.attempted_at
               ELSE attempt.received_at
           END AT TIME ZONE stats.day_zone AS wall_clock
) AS local
WHERE stats.user_id = ANY (%(user_ids)s::uuid[])
GROUP BY 1, 2
