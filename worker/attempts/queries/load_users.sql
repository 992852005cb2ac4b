-- Returns the ids of the learners that exist. The key lock keeps them from being deleted until the batch is committed;
-- the foreign keys would take it anyway.
-- Cost: linear in the ids. Carried by pk_users.
SELECT id
FROM users
WHERE id = ANY (%(ids)s::uuid[])
FOR KEY SHARE
