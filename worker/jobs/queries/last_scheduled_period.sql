-- The last period of a job, not later than now, that the schedule started or skipped; no row when there is none.
-- Cost: backward in uq_job_runs_period from now to the first such run; runs by hand and on events are passed over.
SELECT period
FROM job_runs
WHERE job = %(job)s
  AND period <= %(now)s
  AND trigger IN ('schedule', 'catch_up')
ORDER BY period DESC
LIMIT 1
