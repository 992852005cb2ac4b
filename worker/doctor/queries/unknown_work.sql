-- Work that names a task or job this code does not have: what ('outbox' or 'run'), name, entries, counted up to `most` outbox
-- entries that are not done.
-- Cost: such outbox entries (idx_job_outbox_due, idx_job_outbox_parked) and unfinished runs (idx_job_runs_unfinished).
SELECT 'outbox' AS what, waiting.task AS name, count(*) AS entries
FROM (SELECT task FROM job_outbox WHERE done_at IS NULL LIMIT %(most)s) AS waiting
WHERE waiting.task <> ALL (%(tasks)s::text[])
GROUP BY waiting.task
UNION ALL
SELECT 'run', run.job, count(*)
FROM job_runs AS run
WHERE run.state IN ('planned', 'running')
  AND run.job <> ALL (%(jobs)s::text[])
GROUP BY run.job
ORDER BY 1, 2
