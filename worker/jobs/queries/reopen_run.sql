-- Makes a run that failed, was cancelled or was skipped one that is planned; its next claim has it running. Counts no row
-- when it is in another state.
-- Cost: one row by pk_job_runs.
UPDATE job_runs
SET state = 'planned', error = NULL, finished_at = NULL, shards_done = 0, shards_failed = 0, items = 0
WHERE id = %(run_id)s
  AND state IN ('failed', 'cancelled', 'skipped')
