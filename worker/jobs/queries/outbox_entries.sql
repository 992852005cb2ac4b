-- Entries of the outbox that are not done, parked ones first, then those due first, in the fields of `OutboxEntry`.
-- Cost: `limit` entries each of idx_job_outbox_parked and idx_job_outbox_due.
(
    SELECT id, task, payload, dedupe_key, 'parked' AS state, created_at, due_at, relayed_at, relays, starts, error
    FROM job_outbox
    WHERE parked_at IS NOT NULL
    ORDER BY parked_at
    LIMIT %(limit)s
)
UNION ALL
(
    SELECT id, task, payload, dedupe_key,
           CASE
               WHEN relayed_at IS NOT NULL THEN 'sent'
               WHEN due_at > %(now)s THEN 'deferred'
               ELSE 'waiting'
           END AS state,
           created_at, due_at, relayed_at, relays, starts, error
    FROM job_outbox
    WHERE done_at IS NULL AND parked_at IS NULL AND NOT %(parked_only)s::boolean
    ORDER BY due_at, id
    LIMIT %(limit)s
)
LIMIT %(limit)s
