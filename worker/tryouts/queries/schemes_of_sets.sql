-- Returns the schemes of some sets, without holding them. Cost: linear in the sets. Carried by pk_question_sets.
SELECT id, scheme::text FROM question_sets WHERE id = ANY (%(ids)s::uuid[]) ORDER BY id
