-- Open runs with a shard that could be worked on and has waited since `waiting_since`: run, job, the first such shard.
-- Left out: runs of paused jobs (unless started by hand), and of jobs of which as many shards are at work as may be
-- (`limited` and `limits`: job by job), for those at work claim the next themselves.
-- Cost: open runs, and of each its open shards up to the first that waits: idx_job_runs_unfinished,
-- idx_job_shards_claimable, idx_job_shards_running.
SELECT run.id, run.job, first.number
FROM job_runs AS run
LEFT JOIN unnest(%(limited)s::text[], %(limits)s::int[]) AS bound (job, most) ON bound.job = run.job
LEFT JOIN job_controls AS control ON control.job = run.job
CROSS JOIN LATERAL (
    SELECT shard.number
    FROM job_shards AS shard
    WHERE shard.run_id = run.id
      AND shard.state IN ('pending', 'running')
      AND (
          (shard.state = 'pending' AND greatest(run.planned_at, shard.run_after) <= %(waiting_since)s)
          OR (shard.state = 'running' AND shard.lease_expires_at <= %(now)s)
      )
    ORDER BY shard.number
    LIMIT 1
) AS first
WHERE run.state IN ('planned', 'running')
  AND (run.trigger = 'manual' OR control.paused_at IS NULL)
  AND (
      bound.most IS NULL
      OR bound.most > (
          SELECT count(*)
          FROM job_runs AS sibling
          JOIN job_shards AS busy ON busy.run_id = sibling.id
          WHERE sibling.job = run.job
            AND sibling.state IN ('planned', 'running')
            AND busy.state = 'running'
            AND busy.lease_expires_at > %(now)s
      )
  )
ORDER BY run.id
