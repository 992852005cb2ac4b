-- Writes a learner's wishes over those that `lock_preferences` has locked.
-- Cost: one probe of pk_user_preferences and one row version.
UPDATE user_preferences
SET ui_language = %(ui_language)s::text,
    daily_goal = %(daily_goal)s::integer,
    new_limit = %(new_limit)s::integer,
    review_limit = %(review_limit)s::integer,
    day_start_hour = %(day_start_hour)s::smallint,
    scheduler = %(scheduler)s::text,
    desired_retention = %(desired_retention)s::float8::numeric(3, 2),
    learning_steps_s = %(learning_steps_s)s::integer[],
    relearning_steps_s = %(relearning_steps_s)s::integer[],
    minimum_interval = %(minimum_interval)s::integer,
    maximum_interval = %(maximum_interval)s::integer,
    review_order = %(review_order)s::text,
    new_order = %(new_order)s::text,
    bury_siblings = %(bury_siblings)s::text,
    leech_lapses = %(leech_lapses)s::smallint,
    backlog_days = %(backlog_days)s::smallint,
    balance_load = %(balance_load)s::boolean,
    weekday_weights = %(weekday_weights)s::smallint[],
    vacation_from = %(vacation_from)s::date,
    vacation_until = %(vacation_until)s::date,
    notifications = %(notifications)s::jsonb
WHERE user_id = %(user_id)s::uuid
