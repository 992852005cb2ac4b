-- Returns those of some questions that belong to a set, with what tells whether an answer has their shape.
-- Cost: linear in the ids. Carried by pk_questionset_questions and pk_questions.
SELECT question.id, question.type, question.options::text, question.answer_key::text
FROM questionset_questions AS member
JOIN questions AS question ON question.id = member.question_id
WHERE member.question_set_id = %(set_id)s::uuid AND member.question_id = ANY (%(ids)s::uuid[])
