-- Plans a run: returns its id, or no row when the job already has a run for that period.
-- A concurrent plan of the same period makes this wait for the other transaction to end, so of two exactly one plans.
-- Cost: one look into uq_job_runs_period.
INSERT INTO job_runs (id, job, period, state, trigger, parameters, shards_total, planned_at)
VALUES (%(run_id)s, %(job)s, %(period)s, 'planned', %(trigger)s, %(parameters)s, 0, %(now)s)
ON CONFLICT (job, period) DO NOTHING
RETURNING id
