-- Deletes the runs that ended from `first` to before `last` (one day in UTC) with their shards, and adds them to the day's
-- summary of each job; returns how many were deleted. Both in one statement, so no run is counted twice or never.
-- Cost: the runs of that day and their shards: idx_job_runs_finished, uq_job_shards_number.
WITH old AS (
    DELETE FROM job_runs
    WHERE finished_at >= %(first)s
      AND finished_at < %(last)s
    RETURNING job, state, shards_total, items,
              (1000 * extract(epoch FROM greatest(finished_at - coalesce(started_at, finished_at), interval '0')))::bigint AS ms
),
summed AS (
    INSERT INTO job_run_summaries AS summary (
        job, ended_on, succeeded, failed, cancelled, skipped, shards, items, total_ms, longest_ms
    )
    SELECT job,
           (%(first)s::timestamptz AT TIME ZONE 'UTC')::date,
           count(*) FILTER (WHERE state = 'succeeded'),
           count(*) FILTER (WHERE state = 'failed'),
           count(*) FILTER (WHERE state = 'cancelled'),
           count(*) FILTER (WHERE state = 'skipped'),
           sum(shards_total),
           sum(items),
           sum(ms),
           max(ms)
    FROM old
    GROUP BY job
    ON CONFLICT (job, ended_on) DO UPDATE
    SET succeeded = summary.succeeded + excluded.succeeded,
        failed = summary.failed + excluded.failed,
        cancelled = summary.cancelled + excluded.cancelled,
        skipped = summary.skipped + excluded.skipped,
        shards = summary.shards + excluded.shards,
        items = summary.items + excluded.items,
        total_ms = summary.total_ms + excluded.total_ms,
        longest_ms = greatest(summary.longest_ms, excluded.longest_ms)
)
SELECT count(*) FROM old
