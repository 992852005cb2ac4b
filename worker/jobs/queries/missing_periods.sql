-- Of the given pairs (job, period), those that have no run.
-- Cost: one look into uq_job_runs_period a pair.
SELECT due.job, due.period
FROM unnest(%(jobs)s::text[], %(periods)s::timestamptz[]) AS due (job, period)
WHERE NOT EXISTS (
    SELECT FROM job_runs AS run WHERE run.job = due.job AND run.period = due.period
)
ORDER BY due.period, due.job
