-- Removes the heartbeats of workers that stopped in order (named) or were last seen before `lost_before`; returns nothing.
-- Cost: a row a worker; the table holds no more than there are workers.
DELETE FROM worker_heartbeats
WHERE worker = %(worker)s
   OR seen_at < %(lost_before)s
