-- Notes, before the work, that a repeated message of an outbox entry is started; parks the entry when that was too often:
-- then it never came to an end, not even to an error. Returns whether it is parked now; no row as take_entry.sql.
-- Cost: one look into pk_job_outbox.
UPDATE job_outbox AS entry
SET starts = entry.starts + CASE WHEN entry.starts < %(max_starts)s THEN 1 ELSE 0 END,
    parked_at = CASE WHEN entry.starts >= %(max_starts)s THEN %(now)s::timestamptz END,
    error = CASE
        WHEN entry.starts >= %(max_starts)s
        THEN coalesce(entry.error || '; then ', '') || 'its worker was lost or stopped before it came to an end'
        ELSE entry.error
    END
FROM (
    SELECT id
    FROM job_outbox
    WHERE id = %(id)s
      AND done_at IS NULL
      AND parked_at IS NULL
      AND (error IS NULL OR relays = %(relay)s)
    FOR UPDATE SKIP LOCKED
) AS free
WHERE entry.id = free.id
RETURNING entry.parked_at IS NOT NULL
