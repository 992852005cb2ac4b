-- The graded attempts of some learners in the order in which the platform took them: batch by batch, within a batch by
-- effective instant and id. Returns user_id, id, question_id, lesson_id, answer (JSON text), time_spent_ms (none where it is
-- implausible), effective instant, graded_at.
-- Cost: the learners' attempts, by idx_question_attempts_user.
SELECT user_id,
       id,
       question_id,
       lesson_id,
       answer::text::bytea AS answer,
       CASE WHEN time_spent_ms <= 3600000 THEN time_spent_ms END AS time_spent_ms,
       at,
       graded_at
FROM question_attempts
CROSS JOIN LATERAL (
    SELECT CASE WHEN attempted_at > received_at + interval '5 minutes' THEN received_at ELSE attempted_at END
) AS effective (at)
WHERE user_id = ANY(%(user_ids)s::uuid[])
ORDER BY user_id, graded_at, at, id
