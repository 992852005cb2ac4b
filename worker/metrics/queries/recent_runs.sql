-- Runs planned since an instant, counted by job and state: job, state, runs.
-- Cost: those runs, by the primary key (ids grow with time), whatever the ledger holds besides.
SELECT job, state, count(*) AS runs
FROM job_runs
WHERE id >= uuidv7_floor(%(since)s::timestamptz)
GROUP BY job, state
ORDER BY job, state
