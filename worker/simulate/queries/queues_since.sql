-- The due queues of local days from `since` on: user_id, local_date, built_at.
-- Cost: all queues; the simulation alone asks, for some hundred learners.
SELECT user_id, local_date, built_at
FROM srs_due_queues
WHERE local_date >= %(since)s
