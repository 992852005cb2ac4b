-- One learner's zone, hour at which the local day begins, and counters over all time: one row, none for an unknown user.
-- Three probes of primary keys.
SELECT
    users.timezone,
    coalesce(user_preferences.day_start_hour, 4) AS day_start_hour,
    coalesce(user_stats.attempts, 0) AS attempts,
    coalesce(user_stats.correct, 0) AS correct,
    coalesce(user_stats.time_spent_ms, 0) AS time_spent_ms,
    coalesce(user_stats.lessons_started, 0) AS lessons_started,
    coalesce(user_stats.lessons_completed, 0) AS lessons_completed,
    user_stats.last_attempted_at
FROM users
LEFT JOIN user_preferences ON user_preferences.user_id = users.id
LEFT JOIN user_stats ON user_stats.user_id = users.id
WHERE users.id = %(user_id)s::uuid
