-- Returns the answers of some sittings, one row a sitting: questions and answers as arrays, since a driver takes a few long
-- rows faster than many short ones. Cost: linear in the answers. Carried by pk_tryout_answers.
SELECT tryout_session_id, array_agg(question_id), array_agg(answer::text)
FROM tryout_answers
WHERE tryout_session_id = ANY (%(ids)s::uuid[])
GROUP BY tryout_session_id
