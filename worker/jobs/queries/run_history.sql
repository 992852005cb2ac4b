-- Runs, the newest plan first, of one job or of all, with their live shard counts.
-- Cost: the runs returned (primary key backward: run ids grow with time) and their shards.
SELECT run.id, run.job, run.period, run.state, run.trigger, run.parameters, run.shards_total AS shards,
       counts.done, counts.failed, counts.running, counts.items, run.error,
       run.planned_at, run.started_at, run.finished_at
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
) AS counts
ORDER BY run.id DESC
