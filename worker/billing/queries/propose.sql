-- For each open break of a day that is a payment unknown here (the first 200: more are no matter of single payments): up to
-- five transactions that it may be, the nearest in time first. They have the same amount and currency, lie within three days, and are late or missing at the gateway by an open
-- break of their own, or not concluded. Written into the break's details where they are others than before.
-- Cost: those breaks times the unsettled and open transactions of nine days. Carried by idx_reconciliation_breaks_day,
-- idx_reconciliation_breaks_open, idx_payment_transactions_open.
WITH stranger AS MATERIALIZED (
    SELECT broken.id, line.amount, line.currency, line.occurred_at
    FROM reconciliation_breaks AS broken
    JOIN settlement_lines AS line ON line.id = broken.settlement_line_id
    WHERE
        broken.gateway = %(gateway)s::text AND broken.paid_on = %(day)s::date AND broken.kind = 'missing_here'
        AND broken.state = 'open'
    ORDER BY broken.id
    LIMIT 200
), candidate AS MATERIALIZED (
    SELECT paid.id, paid.amount, paid.currency, paid.concluded_at AS at
    FROM reconciliation_breaks AS broken
    JOIN payment_transactions AS paid ON paid.id = broken.payment_transaction_id
    WHERE
        broken.gateway = %(gateway)s::text AND broken.kind IN ('late_settlement', 'missing_at_gateway')
        AND broken.state = 'open' AND paid.kind = 'charge'
        AND broken.paid_on BETWEEN %(day)s::date - 4 AND %(day)s::date + 4
    UNION ALL
    SELECT id, amount, currency, requested_at
    FROM payment_transactions
    WHERE
        gateway = %(gateway)s::text AND state IN ('intended', 'pending', 'unknown') AND kind = 'charge'
        AND requested_at BETWEEN %(day)s::date - 4 AND %(day)s::date + 4
), proposed AS (
    SELECT id, to_jsonb(array_agg(transaction_id ORDER BY distance, transaction_id)) AS transactions
    FROM (
        SELECT
            stranger.id, candidate.id AS transaction_id, apart.distance,
            row_number() OVER (PARTITION BY stranger.id ORDER BY apart.distance, candidate.id) AS turn
        FROM stranger
        JOIN candidate ON candidate.amount = stranger.amount AND candidate.currency = stranger.currency
        CROSS JOIN LATERAL (
            SELECT abs(extract(EPOCH FROM candidate.at - stranger.occurred_at)) AS distance
        ) AS apart
        WHERE apart.distance <= 3 * 86400
    ) AS near
    WHERE turn <= 5
    GROUP BY id
)
UPDATE reconciliation_breaks AS broken
SET details = broken.details || jsonb_build_object('proposed_transactions', proposed.transactions)
FROM proposed
WHERE
    broken.id = proposed.id
    AND broken.details -> 'proposed_transactions' IS DISTINCT FROM proposed.transactions
