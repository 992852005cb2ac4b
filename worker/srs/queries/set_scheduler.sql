-- Sets the scheduler of learners; who has no preferences gets a row with the defaults otherwise.
-- Cost: one probe of pk_user_preferences a learner.
INSERT INTO user_preferences (user_id, scheduler)
SELECT learner.id, %(target)s::text
FROM users AS learner
WHERE learner.id = ANY (%(user_ids)s::uuid[])
ON CONFLICT (user_id) DO UPDATE SET scheduler = excluded.scheduler
