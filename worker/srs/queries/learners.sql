-- Returns how the cards of some learners are scheduled: id, time zone, day_start_hour, whether FSRS does it, desired
-- retention in percent, steps, bounds of intervals, leech threshold, balancing, weekday weights, vacation, and the FSRS
-- parameters in use: the learner's newest accepted fit, else the population's, else NULL. Who has no preferences gets
-- the schema's defaults. The key lock keeps the learners from being deleted until the transaction ends; foreign keys would
-- take it anyway.
-- Cost: three index probes a learner; carried by pk_users, pk_user_preferences and idx_srs_fits_user.
SELECT
    learner.id,
    learner.timezone,
    coalesce(preference.day_start_hour, 4),
    coalesce(preference.scheduler, 'fsrs') = 'fsrs',
    (coalesce(preference.desired_retention, 0.90) * 100)::integer,
    coalesce(preference.learning_steps_s, '{60,600}'),
    coalesce(preference.relearning_steps_s, '{600}'),
    coalesce(preference.minimum_interval, 1),
    coalesce(preference.maximum_interval, 36500),
    coalesce(preference.leech_lapses, 8),
    coalesce(preference.balance_load, false),
    coalesce(preference.weekday_weights, '{100,100,100,100,100,100,100}'),
    preference.vacation_from,
    preference.vacation_until,
    coalesce(
        (
            SELECT fit.parameters
            FROM srs_fits AS fit
            WHERE fit.user_id = learner.id AND fit.is_accepted
            ORDER BY fit.fitted_at DESC
            LIMIT 1
        ),
        (
            SELECT fit.parameters
            FROM srs_fits AS fit
            WHERE fit.user_id IS NULL AND fit.is_accepted
            ORDER BY fit.fitted_at DESC
            LIMIT 1
        )
    )
FROM users AS learner
LEFT JOIN user_preferences AS preference ON preference.user_id = learner.id
WHERE learner.id = ANY (%(user_ids)s::uuid[])
FOR KEY SHARE OF learner
