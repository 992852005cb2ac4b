-- When the next outbox entry is due, now or in the future; no row when none waits.
-- Cost: the first entry of idx_job_outbox_due.
SELECT due_at
FROM job_outbox
WHERE done_at IS NULL
  AND parked_at IS NULL
ORDER BY due_at
LIMIT 1
