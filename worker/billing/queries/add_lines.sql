-- Adds the lines of a report that no earlier report had, and returns how many those were.
-- A line that is there already, by the digest of all it says, is only looked up. Cost: linear in the lines; five index
-- entries each. Carried by uq_settlement_lines_line_key.
WITH added AS (
    INSERT INTO settlement_lines (
        import_id, line_number, line_key, gateway, kind, gateway_reference, order_id, amount, fee, currency, status,
        occurred_at, occurred_on, settled_on
    )
    SELECT
        %(import_id)s::uuid, line_number, line_key, %(gateway)s::text, kind, gateway_reference, order_id, amount, fee,
        currency, status, occurred_at, (occurred_at AT TIME ZONE 'Asia/Jakarta')::date, settled_on
    FROM unnest(
        %(numbers)s::int[], %(keys)s::uuid[], %(kinds)s::text[], %(references)s::text[], %(orders)s::text[],
        %(amounts)s::numeric[], %(fees)s::numeric[], %(currencies)s::text[], %(statuses)s::text[],
        %(occurred)s::timestamptz[], %(settled)s::date[]
    ) AS line (
        line_number, line_key, kind, gateway_reference, order_id, amount, fee, currency, status, occurred_at, settled_on
    )
    ON CONFLICT (line_key) DO NOTHING
    RETURNING 1
)
SELECT count(*) FROM added
