-- Returns a learner's wishes; a learner without any, or an unknown one, has no row.
-- Cost: one probe of pk_user_preferences.
SELECT ui_language, daily_goal, new_limit, review_limit, day_start_hour, scheduler, desired_retention::float8,
       learning_steps_s, relearning_steps_s, minimum_interval, maximum_interval, review_order, new_order, bury_siblings,
       leech_lapses, backlog_days, balance_load, weekday_weights, vacation_from, vacation_until, notifications
FROM user_preferences
WHERE user_id = %(user_id)s::uuid
