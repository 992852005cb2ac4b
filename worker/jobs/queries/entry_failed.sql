-- Records a start of an outbox entry that failed: it is due again after a rest that doubles with each start, or parked
-- after the last one. Returns its starts and whether it is parked; no row when it is done or parked already.
-- Cost: one look into pk_job_outbox.
UPDATE job_outbox
SET starts = starts + %(count)s,
    error = %(error)s,
    due_at = %(now)s::timestamptz
        + least(%(first_rest)s::interval * power(2, least(starts + %(count)s - 1, 20)), %(longest_rest)s::interval),
    parked_at = CASE WHEN starts + %(count)s >= %(max_starts)s THEN %(now)s::timestamptz END
WHERE id = %(id)s
  AND done_at IS NULL
  AND parked_at IS NULL
RETURNING starts, parked_at IS NOT NULL
