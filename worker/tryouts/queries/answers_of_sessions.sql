-- Returns the answers of some sittings, one row a sitting, each answer as one text of its question's id and itself: a driver
-- takes a few long rows faster than many short ones, and such a text is looked up as it is.
-- Cost: linear in the answers. Carried by pk_tryout_answers.
SELECT tryout_session_id, array_agg(question_id::text || answer::text)
FROM tryout_answers
WHERE tryout_session_id = ANY (%(ids)s::uuid[])
GROUP BY tryout_session_id
