-- Returns the schemes of some sets, held until the transaction ends: scorers of one set take turns with its cohort's
-- counts, and its scheme stays while it is used. Cost: linear in the sets. Carried by pk_question_sets.
SELECT id, scheme::text FROM question_sets WHERE id = ANY (%(ids)s::uuid[]) ORDER BY id FOR NO KEY UPDATE
