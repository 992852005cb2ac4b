-- Counts outbox entries by what becomes of them: one row for `worker.jobs.outbox_reports.OutboxReport`.
-- Cost: every entry that is not done, from idx_job_outbox_due and idx_job_outbox_parked, and the count of the done ones
-- from idx_job_outbox_done.
SELECT waiting.due, waiting.oldest_due_at, waiting.unconfirmed, waiting.oldest_unconfirmed_at, waiting.deferred,
       waiting.resting, parked.entries AS parked, done.entries AS done
FROM (
    SELECT count(*) FILTER (WHERE due_at <= %(now)s) AS due,
           min(due_at) FILTER (WHERE due_at <= %(now)s) AS oldest_due_at,
           count(*) FILTER (WHERE relayed_at IS NOT NULL AND error IS NULL AND due_at > %(now)s) AS unconfirmed,
           min(created_at) FILTER (WHERE relayed_at IS NOT NULL AND error IS NULL AND due_at > %(now)s)
               AS oldest_unconfirmed_at,
           count(*) FILTER (WHERE relayed_at IS NULL AND due_at > %(now)s) AS deferred,
           count(*) FILTER (WHERE relayed_at IS NOT NULL AND error IS NOT NULL AND due_at > %(now)s) AS resting
    FROM job_outbox
    WHERE done_at IS NULL AND parked_at IS NULL
) AS waiting
CROSS JOIN (SELECT count(*) AS entries FROM job_outbox WHERE parked_at IS NOT NULL) AS parked
CROSS JOIN (SELECT count(*) AS entries FROM job_outbox WHERE done_at IS NOT NULL) AS done
