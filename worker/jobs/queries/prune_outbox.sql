-- Deletes outbox entries that were done before an instant, up to a number; returns nothing.
-- Cost: the rows deleted, from idx_job_outbox_done.
DELETE FROM job_outbox
WHERE id IN (
    SELECT id FROM job_outbox WHERE done_at < %(before)s ORDER BY done_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
