-- Returns the questions that exist, with the version of each row: (xmin, ctid), which every update changes.
-- The key lock keeps them from being deleted until the batch is committed; the foreign keys would take it anyway.
-- Cost: linear in the ids. Carried by pk_questions.
SELECT id, xmin, ctid FROM questions WHERE id = ANY (%(ids)s::uuid[]) FOR KEY SHARE
