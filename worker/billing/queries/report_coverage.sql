-- Returns of each gateway: the newest day of settlement that its reports cover, when a report was last imported, lines that
-- could not be read in the reports of the last 30 days, and days of the last two weeks (Jakarta) before `today` without a
-- settled line. Cost: an index probe a gateway and day, and the imports of 30 days. Carried by
-- idx_settlement_lines_settled.
SELECT
    gateway,
    (SELECT max(settled_on) FROM settlement_lines AS line WHERE line.gateway = known.gateway AND status = 'settled')
        AS covered_until,
    max(imported_at) AS imported_at,
    coalesce(sum(rejected) FILTER (WHERE imported_at > %(today)s::date - 30), 0)::int AS rejected,
    ARRAY(
        SELECT day::date
        FROM generate_series(%(today)s::date - 14, %(today)s::date - 1, interval '1 day') AS day
        WHERE NOT EXISTS (
            SELECT FROM settlement_lines AS line
            WHERE line.gateway = known.gateway AND line.settled_on = day::date AND status = 'settled'
        )
        ORDER BY day
    ) AS days_without
FROM settlement_imports AS known
GROUP BY gateway
ORDER BY gateway
