-- Writes what the answers of some sittings are worth; those that have it already stay untouched. The different answers
-- are given once with their worth, however many sittings gave them. Cost: linear in the answers.
-- Carried by pk_tryout_answers.
UPDATE tryout_answers AS answer SET score = worth.score, points = worth.points
FROM unnest(%(questions)s::uuid[], %(answers)s::text[], %(scores)s::numeric[], %(points)s::numeric[])
    AS worth (question_id, answer, score, points)
WHERE answer.tryout_session_id = ANY (%(ids)s::uuid[])
  AND answer.question_id = worth.question_id AND answer.answer::text = worth.answer
  AND (answer.score, answer.points) IS DISTINCT FROM (worth.score, worth.points)
