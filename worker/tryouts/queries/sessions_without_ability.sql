-- Returns scored sittings of a set that have no ability estimate, at most so many: they were scored before its questions
-- were calibrated. Cost: linear in the set's sittings. Carried by idx_tryout_sessions_question_set.
SELECT id, result::text FROM tryout_sessions
WHERE question_set_id = %(set_id)s::uuid AND state = 'scored' AND ability IS NULL
ORDER BY id
LIMIT %(limit)s::integer
FOR NO KEY UPDATE
