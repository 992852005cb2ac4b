-- How the active learners with ids from `first` to `last` (NULL: all) count days: each (timezone, day_start_hour) with how
-- many learners have it.
-- Cost: the learners in the range; idx_users_active and pk_user_preferences.
SELECT learner.timezone, coalesce(preference.day_start_hour, %(day_start_hour)s), count(*)
FROM users AS learner
LEFT JOIN user_preferences AS preference
    ON preference.user_id = learner.id
    AND (%(first)s::uuid IS NULL OR preference.user_id BETWEEN %(first)s AND %(last)s)
WHERE learner.is_active
  AND (%(first)s::uuid IS NULL OR learner.id BETWEEN %(first)s AND %(last)s)
GROUP BY 1, 2
ORDER BY 1, 2
