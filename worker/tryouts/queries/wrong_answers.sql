-- Returns the wrong answers of a set's newest sittings within a span of time, at most so many sittings; another sitting
-- of the same learner is left out, since one agrees with oneself. Cost: linear in their answers.
-- Carried by idx_tryout_sessions_scored_at and pk_tryout_answers.
WITH chosen AS (
    SELECT DISTINCT ON (user_id) id FROM tryout_sessions
    WHERE question_set_id = %(set_id)s::uuid AND state = 'scored' AND scored_at > %(after)s::timestamptz
      AND scored_at <= %(until)s::timestamptz
    ORDER BY user_id, scored_at DESC
    LIMIT %(most)s::integer
)
SELECT answer.tryout_session_id, answer.question_id, answer.answer::text
FROM chosen JOIN tryout_answers AS answer ON answer.tryout_session_id = chosen.id
WHERE answer.score = 0 AND answer.answer <> 'null'
