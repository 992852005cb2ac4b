-- The latest run of each job by period: job, id, period, state, trigger, started_at, finished_at, items.
-- Cost: one backward look into uq_job_runs_period a job.
SELECT run.job, run.id, run.period, run.state, run.trigger, run.started_at, run.finished_at, run.items
FROM unnest(%(jobs)s::text[]) AS wanted (job)
CROSS JOIN LATERAL (
    SELECT *
    FROM job_runs AS latest
    WHERE latest.job = wanted.job
    ORDER BY latest.period DESC
    LIMIT 1
) AS run
ORDER BY run.job
