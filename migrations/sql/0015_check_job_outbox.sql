-- Refuses an outbox entry that could never be sent, in the producer's own transaction, and says when a new one is due.
CREATE FUNCTION check_job_outbox() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    found record;
BEGIN
    NEW.due_at := coalesce(NEW.due_at, NEW.not_before, NEW.created_at);
    found := job_outbox_problem(NEW.task, NEW.payload);
    IF found.problem IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            MESSAGE = found.problem,
            HINT = found.hint,
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME,
            COLUMN = split_part(found.field, '.', 1),
            CONSTRAINT = 'ck_job_outbox_' || found.rule;
    END IF;
    RETURN NEW;
END
$$
