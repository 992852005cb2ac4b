-- Returns learner and question of those ids that are already in the inbox, graded or rejected, to tell a repeated attempt
-- from a different one under the same id. Runs only for ids that `accept_attempts` did not store.
-- Cost: linear in the ids. Carried by pk_attempt_inbox, pk_question_attempts and pk_attempt_rejections.
SELECT id, user_id, question_id FROM attempt_inbox WHERE id = ANY(%(ids)s::uuid[])
UNION ALL
SELECT id, user_id, question_id FROM question_attempts
WHERE id = ANY(%(ids)s::uuid[]) AND id BETWEEN %(smallest_id)s::uuid AND %(largest_id)s::uuid
UNION ALL
SELECT id, user_id, question_id FROM attempt_rejections WHERE id = ANY(%(ids)s::uuid[])
