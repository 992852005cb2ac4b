-- Ends the session that holds the pulse's lock if it has begun or ended no statement for a while; returns its process id.
-- Whoever holds the lock has the role of whoever asks, which is what ending its session takes.
-- Cost: the server's lock table and its list of sessions.
SELECT session.pid, pg_terminate_backend(session.pid)
FROM pg_locks AS held
JOIN pg_stat_activity AS session ON session.pid = held.pid
WHERE held.locktype = 'advisory'
  AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND held.classid = %(class)s::bigint::oid
  AND held.objid = %(number)s::bigint::oid
  AND held.objsubid = 2
  AND held.granted
  AND session.state_change < clock_timestamp() - %(silent_after)s::interval
