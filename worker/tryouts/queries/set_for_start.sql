-- Returns whether a set can be sat: its status and how many questions it has. Cost: one look-up and the set's questions.
-- Carried by pk_question_sets and pk_questionset_questions.
SELECT question_set.status, count(member.question_id) AS questions
FROM question_sets AS question_set
LEFT JOIN questionset_questions AS member ON member.question_set_id = question_set.id
WHERE question_set.id = %(set_id)s::uuid
GROUP BY question_set.id
