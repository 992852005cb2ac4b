-- Returns the questions of some sets in their order, with what scoring needs of each.
-- Cost: linear in the questions. Carried by pk_questionset_questions and pk_questions.
SELECT member.question_set_id, question.id, member.section, member.points, question.skill, question.type,
       question.options::text, question.answer_key::text, question.item_discrimination, question.item_difficulty
FROM questionset_questions AS member
JOIN questions AS question ON question.id = member.question_id
WHERE member.question_set_id = ANY (%(ids)s::uuid[])
ORDER BY member.question_set_id, member.position
