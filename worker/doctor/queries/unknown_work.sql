-- Work that names a task or job this code does not have: what ('outbox' or 'run'), name, entries, counted up to `most` unsent
-- outbox entries.
-- Cost: unsent outbox entries (idx_job_outbox_unrelayed) and unfinished runs (idx_job_runs_unfinished).
SELECT 'outbox' AS what, unsent.task AS name, count(*) AS entries
FROM (SELECT task FROM job_outbox WHERE relayed_at IS NULL ORDER BY id LIMIT %(most)s) AS unsent
WHERE unsent.task <> ALL (%(tasks)s::text[])
GROUP BY unsent.task
UNION ALL
SELECT 'run', run.job, count(*)
FROM job_runs AS run
WHERE run.state IN ('planned', 'running')
  AND run.job <> ALL (%(jobs)s::text[])
GROUP BY run.job
ORDER BY 1, 2
