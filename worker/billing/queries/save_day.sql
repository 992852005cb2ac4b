-- Stores what the comparison of a gateway's day found and returns the row's id, or nothing if it is what is stored.
-- Cost: one row. Carried by uq_reconciliation_runs_day.
INSERT INTO reconciliation_runs AS run (gateway, paid_on, lines, matched, breaks, compared_at)
VALUES (
    %(gateway)s::text, %(day)s::date, %(lines)s::int, %(matched)s::int, %(breaks)s::int,
    %(now)s::timestamptz
)
ON CONFLICT (gateway, paid_on) DO UPDATE SET
    lines = excluded.lines, matched = excluded.matched, breaks = excluded.breaks,
    compared_at = excluded.compared_at
WHERE
    (run.lines, run.matched, run.breaks) IS DISTINCT FROM (excluded.lines, excluded.matched, excluded.breaks)
