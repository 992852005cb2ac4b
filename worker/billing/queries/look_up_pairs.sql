-- Returns both sides of what `compare_day.sql` found not to agree. A line's transaction is looked up by reference, then by
-- its order's id, then (a refund) by the charge it takes back, on any day; a transaction that has a line on another day is
-- left to that day.
-- Cost: a few index probes for each line and transaction given (uq_payment_transactions_gateway_reference,
-- uq_payment_transactions_idempotency_key, idx_settlement_lines_reference, idx_settlement_lines_order).
SELECT
    line.id, coalesce(line.kind, found.kind), line.gateway_reference, line.order_id, line.amount, line.fee,
    line.currency, line.status, line.standing, line.occurred_on, line.settled_on,
    found.id, found.state, found.amount, found.fee, found.currency, found.gateway_reference, found.idempotency_key,
    (found.concluded_at AT TIME ZONE 'Asia/Jakarta')::date, found.found_by, charge.id,
    line.kind = 'charge' AND by_order.id IS NOT NULL AND EXISTS (
        SELECT FROM settlement_lines AS other
        WHERE
            other.gateway = line.gateway AND other.order_id = line.order_id AND other.kind = 'charge'
            AND other.status = 'settled' AND other.standing = 'current' AND other.id <> line.id
            AND (
                other.gateway_reference = found.gateway_reference
                OR (other.occurred_at, other.id) < (line.occurred_at, line.id)
            )
    ) AS is_second,
    line.kind = 'charge' AND found.state <> 'succeeded' AND EXISTS (
        SELECT FROM payment_transactions AS other
        WHERE
            other.subscription_id = found.subscription_id AND other.period_start = found.period_start
            AND other.kind = 'charge' AND other.state = 'succeeded' AND other.id <> found.id
    ) AS is_paid_otherwise
FROM (
    SELECT id AS line_id, NULL::uuid AS transaction_id FROM unnest(%(lines)s::uuid[]) AS id
    UNION ALL
    SELECT NULL, id FROM unnest(%(transactions)s::uuid[]) AS id
) AS compared
-- OFFSET 0, here and below: whatever number of rows is foreseen, the few that come are looked up by index.
LEFT JOIN LATERAL (SELECT * FROM settlement_lines AS one WHERE one.id = compared.line_id OFFSET 0) AS line ON true
LEFT JOIN LATERAL (
    SELECT id FROM payment_transactions AS one
    WHERE
        line.kind IN ('refund', 'chargeback') AND one.kind = 'charge' AND one.gateway = line.gateway
        AND (one.gateway_reference = line.gateway_reference OR one.idempotency_key = line.order_id)
    ORDER BY one.id LIMIT 1
) AS charge ON true
LEFT JOIN LATERAL (
    SELECT one.id FROM payment_transactions AS one
    WHERE one.gateway = line.gateway AND one.gateway_reference = line.gateway_reference AND one.kind = line.kind
    OFFSET 0
) AS by_reference ON true
LEFT JOIN LATERAL (
    SELECT one.id FROM payment_transactions AS one
    WHERE
        by_reference.id IS NULL
        AND one.idempotency_key = line.order_id AND one.gateway = line.gateway AND one.kind = line.kind
    OFFSET 0
) AS by_order ON true
LEFT JOIN LATERAL (
    -- Of several refunds of one charge and amount, the first line is the first refund's.
    SELECT one.id FROM payment_transactions AS one
    WHERE
        by_reference.id IS NULL AND by_order.id IS NULL AND one.parent_id = charge.id AND one.kind = line.kind
        AND one.amount = line.amount AND one.currency = line.currency
    ORDER BY one.created_at, one.id
    LIMIT 1 OFFSET (
        SELECT count(*) FROM settlement_lines AS earlier
        WHERE
            charge.id IS NOT NULL
            AND earlier.gateway = line.gateway AND earlier.order_id = line.order_id AND earlier.kind = line.kind
            AND earlier.amount = line.amount AND earlier.status = line.status
            AND (earlier.occurred_at, earlier.id) < (line.occurred_at, line.id)
    )
) AS by_charge ON true
LEFT JOIN LATERAL (
    SELECT
        one.*,
        CASE WHEN by_order.id IS NOT NULL THEN 'order' WHEN by_charge.id IS NOT NULL THEN 'charge' ELSE 'reference' END
        AS found_by
    FROM payment_transactions AS one
    WHERE one.id = coalesce(compared.transaction_id, by_reference.id, by_order.id, by_charge.id)
    OFFSET 0
) AS found ON true
WHERE
    (line.id IS NOT NULL AND line.status <> 'pending')
    OR NOT EXISTS (
        SELECT FROM settlement_lines AS other
        WHERE
            other.gateway = found.gateway AND other.gateway_reference = found.gateway_reference
            AND other.kind = found.kind AND other.status <> 'pending'
        OFFSET 0
    ) AND NOT EXISTS (
        SELECT FROM settlement_lines AS other
        WHERE
            other.gateway = found.gateway AND other.order_id = found.idempotency_key
            AND other.kind = found.kind AND other.status <> 'pending'
        OFFSET 0
    ) AND (
        found.parent_id IS NULL OR (
            SELECT count(*)
            FROM settlement_lines AS other
            JOIN payment_transactions AS parent ON parent.id = found.parent_id
            WHERE
                other.gateway = found.gateway AND other.order_id = parent.idempotency_key AND other.kind = found.kind
                AND other.amount = found.amount AND other.status = 'settled'
        ) <= (
            SELECT count(*) FROM payment_transactions AS earlier
            WHERE
                earlier.parent_id = found.parent_id AND earlier.kind = found.kind AND earlier.amount = found.amount
                AND (earlier.created_at, earlier.id) < (found.created_at, found.id)
        )
    )
