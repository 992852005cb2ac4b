-- Returns the next events after a place in the feed, of all kinds or of some (NULL: all).
-- Only events of transactions below the snapshot's xmin: every transaction below it has ended, so none can commit an
-- event before a place that a reader has passed. The bound and the rows are of one snapshot, that of the statement.
-- Cost: linear in the events returned and, with kinds, in those passed over; whatever the table's size.
-- Carried by idx_app_events_feed, and by idx_app_events_kind for a single kind.
SELECT transaction_id, id, kind, user_id, payload, created_at
FROM app_events
WHERE (transaction_id, id) > (%(transaction_id)s::bigint, %(event_id)s::uuid)
  AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
  AND (%(kinds)s::text[] IS NULL OR kind = ANY (%(kinds)s::text[]))
ORDER BY transaction_id, id
LIMIT %(limit)s::integer
