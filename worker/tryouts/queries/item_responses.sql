-- Returns, for each of some sittings, the questions of its form in order with the credit its answer got (NULL: none was
-- given): one row a sitting, as arrays. Cost: linear in the answers. Carried by pk_tryout_answers.
SELECT answer.tryout_session_id, array_agg(answer.question_id), array_agg(answer.score = 1)
FROM tryout_answers AS answer
WHERE answer.tryout_session_id = ANY (%(ids)s::uuid[]) AND answer.score IS NOT NULL
GROUP BY answer.tryout_session_id
