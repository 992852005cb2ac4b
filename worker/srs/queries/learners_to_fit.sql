-- Returns the ids of active learners on FSRS with at least `reviews` graded attempts, in the order of their ids: those
-- whose parameters are to be fitted.
-- Cost: all rows of user_stats and users once (hash joins).
SELECT learner.id
FROM user_stats AS stats
JOIN users AS learner ON learner.id = stats.user_id AND learner.is_active
LEFT JOIN user_preferences AS preference ON preference.user_id = learner.id
WHERE stats.attempts >= %(reviews)s::bigint
  AND coalesce(preference.scheduler, 'fsrs') = 'fsrs'
ORDER BY learner.id
