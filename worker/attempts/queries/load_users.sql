-- Returns the learners that exist, with what decides their local day.
-- The key lock keeps them from being deleted until the batch is committed; the foreign keys would take it anyway.
-- Cost: linear in the ids. Carried by pk_users and pk_user_preferences.
SELECT users.id, users.timezone, coalesce(user_preferences.day_start_hour, 4)
FROM users
LEFT JOIN user_preferences ON user_preferences.user_id = users.id
WHERE users.id = ANY (%(ids)s::uuid[])
FOR KEY SHARE OF users
