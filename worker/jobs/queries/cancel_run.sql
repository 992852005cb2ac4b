-- Ends a run as cancelled, with the counts of what its shards did before; counts no row when it is finished already.
-- The caller has stopped its open shards in the same transaction.
-- Cost: the run's shards, by (run_id, number).
UPDATE job_runs AS run
SET state = 'cancelled',
    shards_done = counted.done,
    shards_failed = counted.failed,
    items = counted.items,
    finished_at = %(now)s
FROM (
    SELECT count(*) FILTER (WHERE state = 'done') AS done,
           count(*) FILTER (WHERE state = 'failed') AS failed,
           coalesce(sum(items), 0) AS items
    FROM job_shards
    WHERE run_id = %(run_id)s
) AS counted
WHERE run.id = %(run_id)s
  AND run.state IN ('planned', 'running')
