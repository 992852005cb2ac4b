-- Takes the outbox entries that are due, the longest due first, and says when each is due again unless its task confirms
-- it by then: after a time that doubles with each relay. Entries whose task nobody knows are parked on the way.
-- Returns id, task, payload, number of the relay, queue (NULL: parked now).
-- Rows that a producer of the same dedupe_key or a worker holds are skipped, not waited for.
-- Cost: the rows returned, from idx_job_outbox_due.
WITH due AS (
    SELECT entry.id, known.queue
    FROM (
        SELECT id, task
        FROM job_outbox
        WHERE due_at <= %(now)s
          AND done_at IS NULL
          AND parked_at IS NULL
        ORDER BY due_at, id
        LIMIT %(limit)s
        FOR UPDATE SKIP LOCKED
    ) AS entry
    LEFT JOIN job_tasks AS known ON known.kind = 'task' AND known.name = entry.task
)
UPDATE job_outbox AS entry
SET relayed_at = CASE WHEN due.queue IS NULL THEN entry.relayed_at ELSE %(now)s::timestamptz END,
    relays = entry.relays + CASE WHEN due.queue IS NULL THEN 0 ELSE 1 END,
    due_at = %(now)s::timestamptz
        + least(%(confirm_within)s::interval * power(2, least(entry.relays, 20)), %(longest_confirm)s::interval),
    parked_at = CASE WHEN due.queue IS NULL THEN %(now)s::timestamptz END,
    error = CASE WHEN due.queue IS NULL THEN 'there is no task ' || entry.task ELSE entry.error END
FROM due
WHERE entry.id = due.id
RETURNING entry.id, entry.task, entry.payload, entry.relays, due.queue
