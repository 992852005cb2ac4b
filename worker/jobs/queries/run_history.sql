-- Runs, the newest plan first, of one job or of all, with their shard counts: live while a run is open, then as it ended.
-- Cost: the runs returned (primary key backward: run ids grow with time), and the shards of those that are open.
SELECT run.id, run.job, run.period, run.state, run.trigger, run.parameters, run.shards_total AS shards,
       -- Of a run that has ended nothing is counted again: it holds its own counts.
       run.shards_done + live.done AS done,
       run.shards_failed + live.failed AS failed,
       live.running,
       run.items + live.items AS items,
       run.error, run.planned_at, run.started_at, run.finished_at
FROM (
    SELECT *
    FROM job_runs
    WHERE (%(job)s::text IS NULL OR job = %(job)s)
      AND (%(run_id)s::uuid IS NULL OR id = %(run_id)s)
    ORDER BY id DESC
    LIMIT %(limit)s
) AS run
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE state = 'done') AS done,
           count(*) FILTER (WHERE state = 'failed') AS failed,
           count(*) FILTER (WHERE state = 'running') AS running,
           coalesce(sum(items), 0)::bigint AS items
    FROM job_shards
    WHERE run_id = run.id
      AND run.state IN ('planned', 'running')
) AS live
ORDER BY run.id DESC
