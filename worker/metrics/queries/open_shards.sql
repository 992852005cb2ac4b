-- Shards of unfinished runs, counted by job and what they wait for: waiting (for a worker), resting (until they are tried
-- again), running, expired (their worker fell silent): job, state, shards.
-- Cost: unfinished runs and their open shards, from idx_job_runs_unfinished and idx_job_shards_claimable.
SELECT run.job,
       CASE
           WHEN shard.state = 'pending' AND shard.run_after > %(now)s THEN 'resting'
           WHEN shard.state = 'pending' THEN 'waiting'
           WHEN shard.lease_expires_at <= %(now)s THEN 'expired'
           ELSE 'running'
       END AS doing,
       count(*) AS shards
FROM job_runs AS run
JOIN job_shards AS shard ON shard.run_id = run.id
WHERE run.state IN ('planned', 'running')
  AND shard.state IN ('pending', 'running')
GROUP BY 1, 2
ORDER BY 1, 2
