-- Refuses a time zone that this server does not know, under the name of the table's check ck_<table>_timezone.
-- A trigger and not a CHECK: a dump must restore on a server whose zone data is older or newer.
CREATE FUNCTION check_time_zone() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM timezone(NEW.timezone, TIMESTAMPTZ '2000-01-01 00:00:00+00');
    RETURN NEW;
EXCEPTION
    WHEN invalid_parameter_value THEN
        RAISE check_violation USING
            MESSAGE = format('time zone "%s" is not known to this server', NEW.timezone),
            TABLE = TG_TABLE_NAME,
            SCHEMA = TG_TABLE_SCHEMA,
            COLUMN = 'timezone',
            CONSTRAINT = format('ck_%s_timezone', TG_TABLE_NAME);
END
$$
