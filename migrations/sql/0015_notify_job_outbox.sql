-- Wakes the relay when the transaction commits; however many entries it wrote, it sends one notification.
CREATE FUNCTION notify_job_outbox() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('elp_job_outbox', '');
    RETURN NULL;
END
$$
