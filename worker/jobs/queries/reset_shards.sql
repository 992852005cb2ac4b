-- Gives shards of a run that failed or were cancelled (or the one numbered `number`, also while it rests) all their starts
-- again, free at once. Returns nothing; the count is that of the shards.
-- Cost: the run's shards, by (run_id, number).
UPDATE job_shards
SET state = 'pending', starts = 0, run_after = NULL, error = NULL, finished_at = NULL
WHERE run_id = %(run_id)s
  AND (
      (%(number)s::int IS NULL AND state IN ('failed', 'cancelled'))
      OR (number = %(number)s::int AND (state IN ('failed', 'cancelled') OR run_after IS NOT NULL AND state = 'pending'))
  )
