-- Ends each run (or the one named) that has no shard left to do: sets its counts, its items and its state: `failed` if any
-- shard failed, else `cancelled` if any was, else `succeeded`. Returns id, job, state, shards_done, shards_failed, items
-- and started_at of those ended now.
-- Two workers may call it at once: the loser finds the run locked and leaves it to the winner.
-- Cost: open runs, and the shards of those that end (once each); fk index job_shards (run_id, number).
WITH ended AS (
    SELECT run.id
    FROM job_runs AS run
    WHERE run.state IN ('planned', 'running')
      AND (%(run_id)s::uuid IS NULL OR run.id = %(run_id)s)
      AND NOT EXISTS (
          SELECT FROM job_shards AS shard
          WHERE shard.run_id = run.id AND shard.state IN ('pending', 'running')
      )
    FOR UPDATE SKIP LOCKED
),
counted AS (
    SELECT ended.id,
           count(*) FILTER (WHERE shard.state = 'done') AS done,
           count(*) FILTER (WHERE shard.state = 'failed') AS failed,
           count(*) FILTER (WHERE shard.state = 'cancelled') AS cancelled,
           coalesce(sum(shard.items), 0) AS items,
           (array_agg('shard ' || shard.number || ': ' || shard.error ORDER BY shard.number)
               FILTER (WHERE shard.state = 'failed'))[1] AS first_error
    FROM ended
    LEFT JOIN job_shards AS shard ON shard.run_id = ended.id
    GROUP BY ended.id
)
UPDATE job_runs AS run
SET state = CASE
        WHEN counted.failed > 0 THEN 'failed'
        WHEN counted.cancelled > 0 THEN 'cancelled'
        ELSE 'succeeded'
    END,
    shards_done = counted.done,
    shards_failed = counted.failed,
    items = counted.items,
    error = counted.first_error,
    started_at = coalesce(run.started_at, %(now)s),
    finished_at = %(now)s
FROM counted
WHERE run.id = counted.id
RETURNING run.id, run.job, run.state, run.shards_done, run.shards_failed, run.items, run.started_at
