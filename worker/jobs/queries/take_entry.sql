-- Marks an outbox entry done, in the transaction that does its work; returns when it was enqueued and how often it was
-- started. No row: it is done, parked, being worked on by another worker, or this message is older than a failure of it.
-- An entry that was handed back although its message had arrived leaves its dedupe_key to the next one here.
-- For this transaction it also sets how long the session may idle, and whether the commit waits for the disk.
-- The row stays locked until that transaction ends, so a second copy of the message finds nothing to do meanwhile.
-- Cost: one look into pk_job_outbox.
UPDATE job_outbox AS entry
SET done_at = %(now)s, relayed_at = coalesce(entry.relayed_at, %(now)s), starts = entry.starts + %(count)s, error = NULL
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
RETURNING entry.created_at, entry.starts,
    set_config('idle_in_transaction_session_timeout', %(idle_limit)s::text, true),
    CASE WHEN NOT %(is_durable)s::boolean THEN set_config('synchronous_commit', 'off', true) END
