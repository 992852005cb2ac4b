-- uuidv7() for PostgreSQL 15 to 17; from 18 on the server has its own and nothing is created here.
-- RFC 9562, section 5.7, with the sub-millisecond fraction in the 12 bits after the version (section 6.2, method 3):
-- 48 bits of Unix milliseconds, version 7, microseconds of the millisecond scaled to 12 bits, then variant and 62 random
-- bits taken from gen_random_uuid(). Unlike the server's own it does not order two ids of the same microsecond.
DO $block$
BEGIN
    IF current_setting('server_version_num')::int >= 180000 THEN
        RETURN;
    END IF;
    CREATE FUNCTION public.uuidv7() RETURNS uuid
    LANGUAGE sql VOLATILE PARALLEL SAFE AS $function$
        SELECT encode(
            overlay(
                uuid_send(gen_random_uuid())
                PLACING int8send((instant.us / 1000) << 16 | (7 << 12) | (instant.us % 1000) * 4096 / 1000)
                FROM 1 FOR 8
            ),
            'hex'
        )::uuid
        FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS us) AS instant
    $function$;
END
$block$
