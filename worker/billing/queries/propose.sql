-- For each open break of a day that is a payment unknown here: up to five transactions that it may be, with the same
-- amount and currency, within three days, and without a settled line of their own; the nearest in time first. Written
-- into the break's details where they are others than before. Cost: linear in those breaks, an index range of
-- transactions each. Carried by idx_reconciliation_breaks_day, idx_payment_transactions_concluded,
-- idx_payment_transactions_open.
WITH proposed AS (
    SELECT broken.id, to_jsonb(array_agg(candidate.id ORDER BY candidate.distance, candidate.id)) AS transactions
    FROM reconciliation_breaks AS broken
    JOIN settlement_lines AS line ON line.id = broken.settlement_line_id
    CROSS JOIN LATERAL (
        SELECT paid.id, abs(extract(EPOCH FROM paid.at - line.occurred_at)) AS distance
        FROM (
            SELECT id, gateway, gateway_reference, idempotency_key, amount, currency, concluded_at AS at
            FROM payment_transactions
            WHERE
                gateway = line.gateway AND state = 'succeeded' AND kind = 'charge'
                AND concluded_at BETWEEN line.occurred_at - interval '3 days' AND line.occurred_at + interval '3 days'
            UNION ALL
            SELECT id, gateway, gateway_reference, idempotency_key, amount, currency, requested_at
            FROM payment_transactions
            WHERE
                gateway = line.gateway AND state IN ('intended', 'pending', 'unknown') AND kind = 'charge'
                AND requested_at BETWEEN line.occurred_at - interval '3 days' AND line.occurred_at + interval '3 days'
        ) AS paid
        WHERE
            paid.amount = line.amount AND paid.currency = line.currency
            AND NOT EXISTS (
                SELECT FROM settlement_lines AS other
                WHERE
                    other.gateway = paid.gateway AND other.gateway_reference = paid.gateway_reference
                    AND other.kind = 'charge' AND other.status = 'settled'
            )
            AND NOT EXISTS (
                SELECT FROM settlement_lines AS other
                WHERE
                    other.gateway = paid.gateway AND other.order_id = paid.idempotency_key
                    AND other.kind = 'charge' AND other.status = 'settled'
            )
        ORDER BY distance, paid.id
        LIMIT 5
    ) AS candidate
    WHERE
        broken.gateway = %(gateway)s::text AND broken.paid_on = %(day)s::date AND broken.kind = 'missing_here'
        AND broken.state = 'open'
    GROUP BY broken.id
)
UPDATE reconciliation_breaks AS broken
SET details = broken.details || jsonb_build_object('proposed_transactions', proposed.transactions)
FROM proposed
WHERE
    broken.id = proposed.id
    AND broken.details -> 'proposed_transactions' IS DISTINCT FROM proposed.transactions
