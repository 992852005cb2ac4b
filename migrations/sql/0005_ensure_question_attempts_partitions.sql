-- Creates the monthly partitions of question_attempts from the month of from_day on, `months` of them; returns how many
-- were missing. Months are UTC months; the bounds are the smallest UUIDv7 of each.
--
-- Safe to call again and by several sessions at once: they queue on an advisory lock. Rows of the default partition whose
-- id falls into a new month are moved into it, whatever version their id has: by value a UUIDv4 may fall there too.
-- Inserts into other partitions go on meanwhile; the default one is locked, and is scanned once for each new partition
-- (PostgreSQL checks that nothing is left behind). Waits for locks end after 5 s with an error and no change.
CREATE FUNCTION ensure_question_attempts_partitions(from_day date, months integer) RETURNS integer
LANGUAGE plpgsql SET lock_timeout = '5s' AS $$
DECLARE
    first_month date := date_trunc('month', from_day)::date;
    month_start date;
    lower_id uuid;
    upper_id uuid;
    partition_name text;
    created integer := 0;
BEGIN
    IF from_day IS NULL OR months IS NULL OR months NOT BETWEEN 1 AND 1200 THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('from_day must be a date and months 1 to 1200, not %s and %s',
                             coalesce(from_day::text, 'NULL'), coalesce(months::text, 'NULL'));
    END IF;
    PERFORM pg_advisory_xact_lock(1162629122, 0); -- 0x454C5002

    FOR offset_months IN 0 .. months - 1 LOOP
        month_start := (first_month + make_interval(months => offset_months))::date;
        partition_name := format('question_attempts_%s', to_char(month_start, 'YYYY_MM'));
        CONTINUE WHEN EXISTS (
            SELECT FROM pg_inherits
            JOIN pg_class ON pg_class.oid = pg_inherits.inhrelid
            WHERE pg_inherits.inhparent = 'question_attempts'::regclass AND pg_class.relname = partition_name
        );
        lower_id := uuidv7_floor(month_start::timestamp AT TIME ZONE 'UTC');
        upper_id := uuidv7_floor((month_start + interval '1 month') AT TIME ZONE 'UTC');

        LOCK TABLE question_attempts_default IN ACCESS EXCLUSIVE MODE;
        EXECUTE format(
            'CREATE TABLE %I (LIKE question_attempts INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)',
            partition_name
        );
        EXECUTE format(
            'WITH moved AS (DELETE FROM question_attempts_default WHERE id >= $1 AND id < $2 RETURNING *)
             INSERT INTO %I SELECT * FROM moved',
            partition_name
        ) USING lower_id, upper_id;
        EXECUTE format(
            'ALTER TABLE question_attempts ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
            partition_name, lower_id, upper_id
        );
        created := created + 1;
    END LOOP;
    RETURN created;
END
$$
