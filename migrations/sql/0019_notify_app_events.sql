-- Tells the readers of the feed who wait that something was published; heard when the transaction commits.
CREATE FUNCTION notify_app_events() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('elp_app_events', '');
    RETURN NULL;
END
$$
