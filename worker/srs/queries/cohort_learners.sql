-- Returns the ids of active learners with attempts who are on a scheduler, at a level, or premium (NULL: whatever), at most
-- `sample` of them: the same ones each time, chosen by a hash of their ids; and how many there are in all.
-- Cost: all rows of users, user_stats and user_preferences once (hash joins), and sorting the cohort.
SELECT learner.id, count(*) OVER () AS learners
FROM users AS learner
JOIN user_stats AS stats ON stats.user_id = learner.id AND stats.attempts > 0
LEFT JOIN user_preferences AS preference ON preference.user_id = learner.id
WHERE learner.is_active
  AND (%(scheduler)s::text IS NULL OR coalesce(preference.scheduler, 'fsrs') = %(scheduler)s::text)
  AND (%(level)s::text IS NULL OR learner.current_level = %(level)s::text)
  AND (%(is_premium)s::boolean IS NULL OR learner.is_premium = %(is_premium)s::boolean)
ORDER BY md5(learner.id::text)
LIMIT %(sample)s::integer
