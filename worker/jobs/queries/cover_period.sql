-- Notes that the periods of a job are decided up to one of them. Two who decide at once leave the later mark; a mark that
-- lies beyond what is plausible was set by a wrong clock and gives way. Returns nothing.
-- Cost: one row by pk_job_controls.
INSERT INTO job_controls AS control (job, covered_until)
VALUES (%(job)s, %(period)s)
ON CONFLICT (job) DO UPDATE
SET covered_until = CASE
    WHEN control.covered_until > %(plausible_until)s THEN excluded.covered_until
    ELSE greatest(control.covered_until, excluded.covered_until)
END
