-- Returns what grading needs of some questions, with the version of each row; run for those new to the process or edited.
-- Cost: linear in the ids. Carried by pk_questions.
SELECT id, xmin, ctid, usual_time_ms, type, options::text, answer_key::text
FROM questions
WHERE id = ANY (%(ids)s::uuid[])
