-- Returns the tryout sessions that exist, with the learner of each.
-- The key lock is the one the foreign keys would take. Cost: linear in the ids. Carried by pk_tryout_sessions.
SELECT id, user_id FROM tryout_sessions WHERE id = ANY (%(ids)s::uuid[]) FOR KEY SHARE
