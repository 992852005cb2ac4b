-- Returns the gateways and days (Jakarta) that have anything to compare: days of a range with lines or concluded
-- transactions, and older days whose breaks are open. Cost: an index range of both tables for the range.
-- Carried by idx_settlement_lines_day, idx_payment_transactions_concluded, idx_reconciliation_breaks_open.
SELECT DISTINCT line.gateway, line.occurred_on AS day
FROM settlement_lines AS line
WHERE
    line.occurred_on BETWEEN %(first)s::date AND %(last)s::date
    AND (%(gateway)s::text IS NULL OR line.gateway = %(gateway)s::text)
UNION
SELECT paid.gateway, (paid.concluded_at AT TIME ZONE 'Asia/Jakarta')::date
FROM payment_transactions AS paid
WHERE
    paid.concluded_at >= %(first)s::date::timestamp AT TIME ZONE 'Asia/Jakarta'
    AND paid.concluded_at < (%(last)s::date + 1)::timestamp AT TIME ZONE 'Asia/Jakarta'
    AND (%(gateway)s::text IS NULL OR paid.gateway = %(gateway)s::text)
UNION
SELECT broken.gateway, broken.paid_on
FROM reconciliation_breaks AS broken
WHERE
    broken.state = 'open' AND %(with_open)s::boolean
    AND (%(gateway)s::text IS NULL OR broken.gateway = %(gateway)s::text)
ORDER BY gateway, day
