-- Runs with shards that could be worked on and have waited since `waiting_since`: run, job, first such shard, how many.
-- Cost: open shards of all runs, from idx_job_shards_claimable.
SELECT run.id, run.job, min(shard.number) AS first_number, count(*) AS shards
FROM job_shards AS shard
JOIN job_runs AS run ON run.id = shard.run_id
WHERE shard.state IN ('pending', 'running')
  AND run.state IN ('planned', 'running')
  AND (
      (shard.state = 'pending' AND greatest(run.planned_at, shard.run_after) <= %(waiting_since)s)
      OR (shard.state = 'running' AND shard.lease_expires_at <= %(now)s)
  )
GROUP BY run.id, run.job
ORDER BY run.id
