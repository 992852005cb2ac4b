-- The shards of a run in order, those that ended well left out unless asked for.
-- Cost: the run's shards, by (run_id, number).
SELECT number, bounds, state, starts, leased_by, lease_expires_at, run_after, items, error, started_at, finished_at
FROM job_shards
WHERE run_id = %(run_id)s
  AND (%(all)s OR state <> 'done')
ORDER BY number
