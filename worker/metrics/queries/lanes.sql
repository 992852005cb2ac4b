-- Each lane of the inbox: lane, attempts (counted up to `most`), when its oldest was received, whether it is drained now.
-- Cost: at most `most` entries of idx_attempt_inbox_lane a lane, and the server's lock table.
SELECT lane.number AS lane, waiting.attempts, oldest.received_at AS oldest_at,
       EXISTS (
           SELECT FROM pg_locks AS held
           WHERE held.locktype = 'advisory'
             AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
             AND held.classid = %(lock_class)s::bigint::oid
             AND held.objid = lane.number::bigint::oid
             AND held.objsubid = 2
             AND held.granted
       ) AS is_draining
FROM generate_series(0, %(lanes)s - 1) AS lane (number)
CROSS JOIN LATERAL (
    SELECT count(*) AS attempts
    FROM (SELECT FROM attempt_inbox WHERE attempt_inbox.lane = lane.number LIMIT %(most)s) AS counted
) AS waiting
LEFT JOIN LATERAL (
    SELECT received_at
    FROM attempt_inbox
    WHERE attempt_inbox.lane = lane.number
    ORDER BY seq
    LIMIT 1
) AS oldest ON true
ORDER BY lane.number
