-- The outbox entries that were parked last, the newest first, with their errors.
-- Cost: the rows returned, from idx_job_outbox_parked backward.
SELECT id, task, payload, dedupe_key, error, starts, relays, created_at AS enqueued_at, parked_at
FROM job_outbox
WHERE parked_at IS NOT NULL
ORDER BY parked_at DESC
LIMIT %(limit)s
