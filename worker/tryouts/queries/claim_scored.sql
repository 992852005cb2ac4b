-- Returns the scored sittings of a set within a range of ids, with their present score, and keeps them for this
-- transaction. Cost: linear in the range. Carried by idx_tryout_sessions_question_set or pk_tryout_sessions.
SELECT id, user_id, question_set_id, state, raw_score, max_score, is_passed, scored_at, result::text
FROM tryout_sessions
WHERE question_set_id = %(set_id)s::uuid AND id BETWEEN %(first)s::uuid AND %(last)s::uuid AND state = 'scored'
ORDER BY id
FOR NO KEY UPDATE
