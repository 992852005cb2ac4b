-- Returns the answers of some sittings. Cost: linear in the answers. Carried by pk_tryout_answers.
SELECT tryout_session_id, question_id, answer::text
FROM tryout_answers
WHERE tryout_session_id = ANY (%(ids)s::uuid[])
