-- Makes parked entries (those named, or all when none is) due at once, with all their tries; returns their ids.
-- An entry whose dedupe key waits in another entry stays parked: at most one of a key waits.
-- Cost: the entries, by primary key or from idx_job_outbox_parked, and a look into uq_job_outbox_dedupe_key each.
WITH first_of_key AS (
    SELECT DISTINCT ON (coalesce(dedupe_key, id::text)) id
    FROM job_outbox AS parked
    WHERE parked_at IS NOT NULL
      AND (%(ids)s::uuid[] IS NULL OR id = ANY (%(ids)s::uuid[]))
      AND NOT EXISTS (
          SELECT FROM job_outbox AS waits
          WHERE waits.dedupe_key = parked.dedupe_key AND waits.relayed_at IS NULL AND waits.parked_at IS NULL
      )
    ORDER BY coalesce(dedupe_key, id::text), id DESC
)
UPDATE job_outbox AS entry
SET parked_at = NULL, error = NULL, relayed_at = NULL, relays = 0, starts = 0, due_at = %(now)s
FROM first_of_key
WHERE entry.id = first_of_key.id
RETURNING entry.id
