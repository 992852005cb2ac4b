-- Pauses a job; changes nothing, and counts no row, when it is paused already. A job that never ran before its pause
-- begins with it: what came earlier counts as decided.
-- Cost: one row by pk_job_controls.
INSERT INTO job_controls AS control (job, paused_at, covered_until)
VALUES (%(job)s, %(now)s, %(now)s)
ON CONFLICT (job) DO UPDATE
SET paused_at = %(now)s,
    covered_until = coalesce(control.covered_until, %(now)s)
WHERE control.paused_at IS NULL
