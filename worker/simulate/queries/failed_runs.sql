-- Runs with a period in (since, until] that failed: job, period, error.
-- Cost: all runs; the simulation alone asks.
SELECT job, period, error
FROM job_runs
WHERE state = 'failed'
  AND period > %(since)s
  AND period <= %(until)s
ORDER BY period
