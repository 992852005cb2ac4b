-- Writes outbox entries and returns the ids of those that are new, or of the waiting entry whose dedupe_key one shares.
-- Such a waiting entry is locked until the caller's transaction ends, so that it runs after it, at the earlier of both
-- times. An id that is stored already is left out: an entry sent twice is one. No two of the given may share an id or key.
-- In the order of their keys, so that producers of the same keys wait for one another instead of ending in a deadlock.
-- Cost: an insert an entry, each checked by the trigger; keys by uq_job_outbox_dedupe_key.
INSERT INTO job_outbox AS waiting (id, task, payload, dedupe_key, not_before, created_at, due_at)
SELECT given.id, given.task, given.payload::jsonb, given.dedupe_key, given.not_before,
       %(now)s::timestamptz, coalesce(given.not_before, %(now)s::timestamptz)
FROM unnest(
    %(ids)s::uuid[], %(tasks)s::text[], %(payloads)s::text[], %(dedupe_keys)s::text[], %(not_before)s::timestamptz[]
) AS given (id, task, payload, dedupe_key, not_before)
WHERE NOT EXISTS (SELECT FROM job_outbox AS known WHERE known.id = given.id)
ORDER BY given.dedupe_key, given.id
ON CONFLICT (dedupe_key) WHERE relayed_at IS NULL AND parked_at IS NULL
DO UPDATE SET due_at = least(waiting.due_at, excluded.due_at)
RETURNING waiting.id
