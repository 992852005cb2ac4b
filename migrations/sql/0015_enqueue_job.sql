-- Has a task run after the caller's transaction commits, and never if it rolls back. Returns the entry's id, or NULL when
-- an entry with this dedupe_key waits already: then that one runs after the caller's commit, at the earlier of both times.
-- Refuses (check_violation, with the remedy as its hint) what could never run.
-- The waiting entry is locked, not only found: otherwise it could run before this transaction's changes are visible.
-- Cost: one insert; with a key also one look into uq_job_outbox_dedupe_key.
CREATE FUNCTION enqueue_job(
    task text, payload jsonb DEFAULT '{}', dedupe_key text DEFAULT NULL, not_before timestamptz DEFAULT NULL
) RETURNS uuid
LANGUAGE sql AS $$
    INSERT INTO job_outbox AS waiting (task, payload, dedupe_key, not_before)
    VALUES (enqueue_job.task, coalesce(enqueue_job.payload, '{}'), enqueue_job.dedupe_key, enqueue_job.not_before)
    ON CONFLICT (dedupe_key) WHERE relayed_at IS NULL AND parked_at IS NULL
    DO UPDATE SET due_at = least(waiting.due_at, excluded.due_at)
    RETURNING CASE WHEN waiting.xmax = 0 THEN waiting.id END
$$
