-- Returns how one learner counts days: time zone and hour at which the day begins; no row for an unknown learner.
-- Cost: two index look-ups. Carried by pk_users and pk_user_preferences.
SELECT learner.timezone, coalesce(preference.day_start_hour, %(day_start_hour)s) AS day_start_hour
FROM users AS learner
LEFT JOIN user_preferences AS preference ON preference.user_id = learner.id
WHERE learner.id = %(user_id)s::uuid
