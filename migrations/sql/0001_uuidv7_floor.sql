-- The smallest UUIDv7 that carries the instant's millisecond: what a range of time means as a range of ids.
-- Instants before 1970 have no UUIDv7; they give the smallest of all. NULL gives NULL.
CREATE FUNCTION uuidv7_floor(instant timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT (
        lpad(to_hex(greatest(0, floor(extract(epoch FROM instant) * 1000))::bigint), 12, '0') || '70008000000000000000'
    )::uuid
$$
