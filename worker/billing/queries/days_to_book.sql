-- Returns each gateway with the first and last day (Jakarta) of a range for which it has transactions or lines.
-- Cost: an index probe a gateway and side. Carried by idx_payment_transactions_concluded, idx_settlement_lines_settled.
SELECT gateway, min(day) AS first, max(day) AS last
FROM (
    SELECT gateway, settled_on AS day FROM settlement_lines
    WHERE settled_on BETWEEN %(first)s::date AND %(last)s::date
    UNION
    SELECT gateway, (concluded_at AT TIME ZONE 'Asia/Jakarta')::date FROM payment_transactions
    WHERE
        concluded_at >= %(first)s::date::timestamp AT TIME ZONE 'Asia/Jakarta'
        AND concluded_at < (%(last)s::date + 1)::timestamp AT TIME ZONE 'Asia/Jakarta'
) AS moved
WHERE %(gateway)s::text IS NULL OR gateway = %(gateway)s::text
GROUP BY gateway
ORDER BY gateway
