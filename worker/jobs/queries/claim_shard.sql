-- Leases one shard of a run to a worker and returns it: the first from a number on that is pending and rested, or whose
-- lease has run out. Returns no row when there is none, when the run has ended, when its job is paused (unless the run
-- was started by hand), or when `most` shards of the job are at work (NULL: no limit; the caller takes its turn).
-- Rows that another worker is claiming at this moment are skipped, not waited for.
-- Cost: shards between the given number and the one found; idx_job_shards_claimable holds the open ones only. With a
-- limit, also the shards at work of the job's open runs: idx_job_runs_unfinished, idx_job_shards_running.
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
          SELECT FROM job_runs AS run
          WHERE run.id = %(run_id)s
            AND run.state IN ('planned', 'running')
            AND (
                run.trigger = 'manual'
                OR NOT EXISTS (
                    SELECT FROM job_controls AS control
                    WHERE control.job = %(job)s::text AND control.paused_at IS NOT NULL
                )
            )
      )
      AND (
          %(most)s::int IS NULL
          OR %(most)s::int > (
              SELECT count(*)
              FROM job_runs AS open
              JOIN job_shards AS busy ON busy.run_id = open.id
              WHERE open.job = %(job)s::text
                AND open.state IN ('planned', 'running')
                AND busy.state = 'running'
                AND busy.lease_expires_at > %(now)s
          )
      )
    ORDER BY shard.number
    LIMIT 1
    FOR UPDATE OF shard SKIP LOCKED
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
