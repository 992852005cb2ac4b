-- The time zones that active learners have, whether PostgreSQL knows each, and its offset there at an instant, in minutes:
-- zone, learners, offset_minutes (NULL: unknown to PostgreSQL).
-- Cost: one pass over the active learners; for the doctor only.
SELECT used.timezone AS zone, used.learners,
       (extract(epoch FROM known.utc_offset) / 60)::int AS offset_minutes
FROM (SELECT timezone, count(*) AS learners FROM users WHERE is_active GROUP BY timezone) AS used
LEFT JOIN LATERAL (
    SELECT (%(now)s::timestamptz AT TIME ZONE names.name) - (%(now)s::timestamptz AT TIME ZONE 'UTC') AS utc_offset
    FROM pg_timezone_names AS names
    WHERE names.name = used.timezone
) AS known ON true
ORDER BY used.timezone
