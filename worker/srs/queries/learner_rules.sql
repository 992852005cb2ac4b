-- Returns how one learner's cards are scheduled (worker.srs.learner.LearnerRules); FSRS's parameters are the newest accepted
-- fit of the learner, else of the population, else NULL. No row for an unknown learner.
-- Cost: index look-ups. Carried by pk_users, pk_user_preferences and idx_srs_fits_user.
SELECT learner.timezone,
       coalesce(preference.day_start_hour, %(day_start_hour)s::smallint) AS day_start_hour,
       coalesce(preference.scheduler, 'fsrs') AS scheduler,
       coalesce(preference.desired_retention, 0.90)::float8 AS desired_retention,
       coalesce(preference.review_limit, %(review_limit)s::integer) AS review_limit,
       coalesce(preference.new_limit, %(new_limit)s::integer) AS new_limit,
       coalesce(preference.learning_steps_s, '{60,600}') AS learning_steps_s,
       coalesce(preference.relearning_steps_s, '{600}') AS relearning_steps_s,
       coalesce(preference.minimum_interval, 1) AS minimum_interval,
       coalesce(preference.maximum_interval, 36500) AS maximum_interval,
       fit.parameters
FROM users AS learner
LEFT JOIN user_preferences AS preference ON preference.user_id = learner.id
LEFT JOIN LATERAL (
    SELECT srs_fits.parameters
    FROM srs_fits
    WHERE (srs_fits.user_id = learner.id OR srs_fits.user_id IS NULL) AND srs_fits.is_accepted
    ORDER BY srs_fits.user_id IS NULL, srs_fits.fitted_at DESC
    LIMIT 1
) AS fit ON true
WHERE learner.id = %(user_id)s::uuid
