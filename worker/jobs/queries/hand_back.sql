-- Makes outbox entries that the broker did not take due again; returns nothing. They count as not relayed this time, and
-- those never relayed before wait under their dedupe_key again, unless another entry has taken it meanwhile.
-- Cost: the rows named, by primary key, and their keys.
UPDATE job_outbox AS entry
SET due_at = %(due_at)s,
    relays = greatest(entry.relays - 1, 0),
    relayed_at = CASE
        WHEN entry.relays > 1
            OR EXISTS (
                SELECT FROM job_outbox AS waiting
                WHERE waiting.dedupe_key = entry.dedupe_key AND waiting.relayed_at IS NULL AND waiting.parked_at IS NULL
            )
        THEN entry.relayed_at
    END
WHERE entry.id = ANY (%(ids)s)
  AND entry.done_at IS NULL
  AND entry.parked_at IS NULL
