-- The runs of some jobs whose period lies in (since, until]: job, period, state; those started by hand or by an event apart.
-- Cost: the runs returned, by uq_job_runs_period.
SELECT job, period, state
FROM job_runs
WHERE job = ANY(%(jobs)s::text[])
  AND period > %(since)s
  AND period <= %(until)s
  AND trigger IN ('schedule', 'catch_up')
