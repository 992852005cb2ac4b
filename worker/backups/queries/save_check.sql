-- Writes down what a look at the repository found; `restorable_at` never goes back. One row, by its primary key.
INSERT INTO backup_checks (location, checked_at, restorable_at, slot_state, retained_bytes, problems)
VALUES (%(location)s::text, %(checked_at)s::timestamptz, %(restorable_at)s::timestamptz, %(slot_state)s::text,
        %(retained_bytes)s::bigint, %(problems)s::text[])
ON CONFLICT (location) DO UPDATE SET
    checked_at = excluded.checked_at, slot_state = excluded.slot_state, retained_bytes = excluded.retained_bytes,
    problems = excluded.problems, restorable_at = greatest(backup_checks.restorable_at, excluded.restorable_at)
