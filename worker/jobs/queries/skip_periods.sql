-- Records periods of a job that its policy decided not to run; a period that has its run keeps it. No rows returned, the
-- count is that of the rows written.
-- Cost: one look into uq_job_runs_period a period.
INSERT INTO job_runs (id, job, period, state, trigger, error, planned_at, finished_at)
SELECT id, %(job)s, period, 'skipped', trigger, reason, %(now)s, %(now)s
FROM unnest(%(ids)s::uuid[], %(periods)s::timestamptz[], %(triggers)s::text[], %(reasons)s::text[])
    AS decided (id, period, trigger, reason)
ON CONFLICT (job, period) DO NOTHING
