-- One learner's attempts by skill and level of the question: at most 24 rows of three sums.
-- Grows with the learner's attempts, each joined to its question; carried by idx_question_attempts_user in each partition.
SELECT
    questions.skill,
    questions.level,
    count(*) AS attempts,
    count(*) FILTER (WHERE question_attempts.is_correct) AS correct,
    coalesce(sum(question_attempts.time_spent_ms), 0)::bigint AS time_spent_ms
FROM question_attempts
JOIN questions ON questions.id = question_attempts.question_id
WHERE question_attempts.user_id = %(user_id)s::uuid
GROUP BY questions.skill, questions.level
