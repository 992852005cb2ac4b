-- Deletes parked entries (those named, or all when none is) and returns their ids: what they asked for never happens.
-- Cost: the entries, by primary key or from idx_job_outbox_parked.
DELETE FROM job_outbox
WHERE parked_at IS NOT NULL
  AND (%(ids)s::uuid[] IS NULL OR id = ANY (%(ids)s::uuid[]))
RETURNING id
