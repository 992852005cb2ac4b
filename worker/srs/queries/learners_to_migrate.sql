-- Returns the ids of the learners who are on the other scheduler than `target` (sm2 or fsrs), in the order of their ids.
-- A learner without preferences is on FSRS.
-- Cost: all users and preferences once (hash join).
SELECT learner.id
FROM users AS learner
LEFT JOIN user_preferences AS preference ON preference.user_id = learner.id
WHERE coalesce(preference.scheduler, 'fsrs') <> %(target)s::text
ORDER BY learner.id
