-- The outbox in five figures: waiting (to be sent now), deferred (until later), sent (and not confirmed yet), parked (given up),
-- and since when the oldest that is not done has been due: waiting, deferred, sent, parked, oldest_at.
-- Cost: entries that are not done, from idx_job_outbox_due and idx_job_outbox_parked; each counted up to `most`.
SELECT count(*) FILTER (WHERE relayed_at IS NULL AND due_at <= %(now)s) AS waiting,
       count(*) FILTER (WHERE relayed_at IS NULL AND due_at > %(now)s) AS deferred,
       count(*) FILTER (WHERE relayed_at IS NOT NULL) AS sent,
       (SELECT count(*) FROM (SELECT FROM job_outbox WHERE parked_at IS NOT NULL LIMIT %(most)s) AS given_up) AS parked,
       min(greatest(created_at, not_before)) FILTER (WHERE not_before IS NULL OR not_before <= %(now)s) AS oldest_at
FROM (
    SELECT not_before, created_at, relayed_at, due_at
    FROM job_outbox
    WHERE done_at IS NULL AND parked_at IS NULL
    ORDER BY due_at
    LIMIT %(most)s
) AS open
