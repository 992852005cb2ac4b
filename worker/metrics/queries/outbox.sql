-- The outbox in four figures: waiting (to be sent now), deferred (until later), failing (sending was tried in vain), and since
-- when the oldest that waits has been due: waiting, deferred, failing, oldest_at.
-- Cost: unsent entries, from idx_job_outbox_unrelayed; counted up to `most`.
SELECT count(*) FILTER (WHERE not_before IS NULL OR not_before <= %(now)s) AS waiting,
       count(*) FILTER (WHERE not_before > %(now)s) AS deferred,
       count(*) FILTER (WHERE error IS NOT NULL) AS failing,
       min(greatest(created_at, not_before)) FILTER (WHERE not_before IS NULL OR not_before <= %(now)s) AS oldest_at
FROM (
    SELECT not_before, created_at, error
    FROM job_outbox
    WHERE relayed_at IS NULL
    ORDER BY id
    LIMIT %(most)s
) AS unsent
