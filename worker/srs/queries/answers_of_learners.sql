-- Returns all graded answers of learners: learner, question, the learner's local day as a day number (1 is 0001-01-01),
-- and the rating (1 Again … 4 Easy), each learner's in the order of time.
-- Day and rating follow the pipeline's rules: an `attempted_at` more than 5 minutes ahead of the server's clock counts as
-- the instant of reception; a time above an hour is unknown; slow is above twice, quick is up to half the usual time.
-- Cost: the learners' attempts in all partitions; idx_question_attempts_user and pk_questions.
SELECT attempt.user_id,
       attempt.question_id,
       ((effective.at AT TIME ZONE learner.timezone
         - make_interval(hours => coalesce(preference.day_start_hour, %(day_start_hour)s::smallint)))::date
        - DATE '0001-01-01') + 1,
       CASE
           WHEN attempt.score < 1 THEN 1
           WHEN attempt.time_spent_ms IS NULL OR attempt.time_spent_ms > 3600000 THEN 3
           WHEN attempt.time_spent_ms > 2 * question.usual_time_ms THEN 2
           WHEN 2 * attempt.time_spent_ms::bigint <= question.usual_time_ms THEN 4
           ELSE 3
       END
FROM question_attempts AS attempt
JOIN questions AS question ON question.id = attempt.question_id
JOIN users AS learner ON learner.id = attempt.user_id
LEFT JOIN user_preferences AS preference ON preference.user_id = attempt.user_id
CROSS JOIN LATERAL (
    SELECT CASE
               WHEN attempt.attempted_at <= attempt.received_at + interval '5 minutes' THEN attempt.attempted_at
               ELSE attempt.received_at
           END AS at
) AS effective
WHERE attempt.user_id = ANY (%(user_ids)s::uuid[])
ORDER BY attempt.user_id, effective.at, attempt.id
