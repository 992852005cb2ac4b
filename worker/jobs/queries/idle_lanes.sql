-- Lanes whose oldest attempt has waited since `waiting_since` and that nobody drains at this moment (no one holds the
-- lane's advisory lock). Attempts received after `plausible_until` met a clock that was wrong: they wait, too.
-- Cost: sixteen looks into idx_attempt_inbox_lane, whatever the inbox holds, and the server's lock table.
SELECT lane.number
FROM generate_series(0, %(lanes)s - 1) AS lane (number)
CROSS JOIN LATERAL (
    SELECT inbox.received_at
    FROM attempt_inbox AS inbox
    WHERE inbox.lane = lane.number
    ORDER BY inbox.seq
    LIMIT 1
) AS oldest
WHERE (oldest.received_at <= %(waiting_since)s OR oldest.received_at > %(plausible_until)s)
  AND NOT EXISTS (
      SELECT FROM pg_locks AS held
      WHERE held.locktype = 'advisory'
        AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND held.classid = %(lock_class)s::bigint::oid
        AND held.objid = lane.number::bigint::oid
        AND held.objsubid = 2
        AND held.granted
  )
ORDER BY lane.number
