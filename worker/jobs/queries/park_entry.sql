-- Parks an outbox entry with its reason; returns nothing.
-- Cost: one look into pk_job_outbox.
UPDATE job_outbox
SET parked_at = %(now)s, error = %(error)s
WHERE id = %(id)s
  AND done_at IS NULL
  AND parked_at IS NULL
