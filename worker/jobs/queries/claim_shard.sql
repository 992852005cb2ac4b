-- Leases one shard of a run to a worker and returns it: the first from a number on that is pending and rested, or whose
-- lease has run out. Returns no row when there is none, or when the run has ended.
-- Rows that another worker is claiming at this moment are skipped, not waited for.
-- Cost: shards between the given number and the one found; idx_job_shards_claimable holds the open ones only.
WITH candidate AS (
    SELECT shard.id
    FROM job_shards AS shard
    WHERE shard.run_id = %(run_id)s
      AND shard.number >= %(from_number)s
      AND shard.state IN ('pending', 'running')
      AND (
          (shard.state = 'pending' AND (shard.run_after IS NULL OR shard.run_after <= %(now)s))
          OR (shard.state = 'running' AND shard.lease_expires_at <= %(now)s)
      )
      AND EXISTS (
          SELECT FROM job_runs AS run WHERE run.id = %(run_id)s AND run.state IN ('planned', 'running')
      )
    ORDER BY shard.number
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
UPDATE job_shards AS shard
SET state = 'running',
    starts = shard.starts + 1,
    leased_by = %(leased_by)s,
    lease_expires_at = %(lease_expires_at)s,
    started_at = %(now)s,
    finished_at = NULL
FROM candidate
WHERE shard.id = candidate.id
RETURNING shard.id, shard.number, shard.bounds, shard.starts
