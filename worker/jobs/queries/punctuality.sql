-- Of each given job: job, the period it last succeeded for, when its first run was planned, and the newest run's state.
-- Cost: three looks into uq_job_runs_period a job; one more for each newer run that did not succeed.
SELECT wanted.job, succeeded.period AS last_succeeded, first.planned_at AS first_planned_at, latest.state AS latest_state
FROM unnest(%(jobs)s::text[]) AS wanted (job)
LEFT JOIN LATERAL (
    SELECT period
    FROM job_runs
    WHERE job = wanted.job AND state = 'succeeded'
    ORDER BY period DESC
    LIMIT 1
) AS succeeded ON true
LEFT JOIN LATERAL (
    SELECT planned_at
    FROM job_runs
    WHERE job = wanted.job
    ORDER BY period
    LIMIT 1
) AS first ON true
LEFT JOIN LATERAL (
    SELECT state
    FROM job_runs
    WHERE job = wanted.job
    ORDER BY period DESC
    LIMIT 1
) AS latest ON true
ORDER BY wanted.job
