-- What waits since before the instants given: kind, how many, the oldest. No row of a kind of which nothing waits.
-- Cost: what is open, by idx_job_runs_unfinished and idx_job_outbox_unrelayed; and the inbox, which is nearly empty.
SELECT 'open runs' AS kind, count(*) AS waiting, min(planned_at) AS oldest
FROM job_runs
WHERE state IN ('planned', 'running')
  AND planned_at < %(runs_before)s
HAVING count(*) > 0
UNION ALL
SELECT 'attempts in the inbox', count(*), min(received_at)
FROM attempt_inbox
WHERE received_at < %(entries_before)s
HAVING count(*) > 0
UNION ALL
SELECT 'outbox entries', count(*), min(coalesce(not_before, created_at))
FROM job_outbox
WHERE relayed_at IS NULL
  AND coalesce(not_before, created_at) < %(entries_before)s
HAVING count(*) > 0
