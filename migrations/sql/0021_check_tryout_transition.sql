-- Keeps the life of a sitting in its order whatever the statement says: created → in_progress → submitted or expired →
-- scored, and an instant that was recorded once (start, submission) stays.
CREATE FUNCTION check_tryout_transition() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
        ('created', 'in_progress'), ('created', 'expired'),
        ('in_progress', 'submitted'), ('in_progress', 'expired'),
        ('submitted', 'scored'), ('expired', 'scored')
    ) THEN
        RAISE EXCEPTION 'a sitting that is % cannot become %', OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'tr_tryout_sessions_transition', TABLE = 'tryout_sessions';
    END IF;
    IF OLD.started_at IS DISTINCT FROM NEW.started_at AND OLD.started_at IS NOT NULL
        OR OLD.submitted_at IS DISTINCT FROM NEW.submitted_at AND OLD.submitted_at IS NOT NULL
    THEN
        RAISE EXCEPTION 'the instants at which a sitting began and was submitted are recorded once'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'tr_tryout_sessions_instants', TABLE = 'tryout_sessions';
    END IF;
    RETURN NEW;
END
$$
