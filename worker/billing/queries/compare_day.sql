-- Returns what does not simply agree between a gateway's book and ours of one day (Jakarta): pairs whose sums, states or
-- dates differ, lines without a transaction of the same day, transactions without a line. A line without one is looked up
-- by reference, then by its order's id, then (a refund) by the charge it takes back, on any day; a transaction with a line
-- on another day is left to that day. What agrees is not returned.
-- Cost: one hash join of the day's lines and transactions (idx_settlement_lines_day, idx_payment_transactions_concluded),
-- then a few index probes for each row that does not agree (uq_payment_transactions_gateway_reference,
-- uq_payment_transactions_idempotency_key, idx_settlement_lines_reference, idx_settlement_lines_order).
WITH compared AS MATERIALIZED (
    SELECT line.id AS line_id, paid.id AS transaction_id
    FROM (
        SELECT id, kind, gateway_reference, amount, fee, currency, status, standing, occurred_on, settled_on
        FROM settlement_lines
        WHERE
            gateway = %(gateway)s::text AND occurred_on = %(day)s::date
            AND kind IN ('charge', 'refund', 'chargeback') AND standing <> 'superseded'
    ) AS line
    FULL JOIN (
        SELECT id, kind, gateway_reference, amount, fee, currency, state
        FROM payment_transactions
        WHERE
            gateway = %(gateway)s::text
            AND concluded_at >= %(begins_at)s::timestamptz AND concluded_at < %(ends_at)s::timestamptz
    ) AS paid
        ON paid.gateway_reference = line.gateway_reference AND paid.kind = line.kind
    WHERE
        CASE
            WHEN line.id IS NULL THEN paid.state = 'succeeded' AND %(is_due)s::boolean
            WHEN paid.id IS NULL THEN line.status <> 'pending'
            WHEN line.status = 'settled' THEN
                paid.state <> 'succeeded' OR line.standing = 'repeat'
                OR paid.amount <> line.amount OR paid.currency <> line.currency OR paid.fee <> line.fee
                OR line.settled_on - line.occurred_on > %(late_after_days)s::int
                OR (line.currency = 'IDR' AND line.fee > line.amount * %(fee_rate)s::numeric + %(fee_fixed)s::numeric)
            WHEN line.status = 'failed' THEN paid.state = 'succeeded'
            ELSE paid.state = 'succeeded' AND %(is_due)s::boolean
        END
)
SELECT
    line.id, coalesce(line.kind, found.kind), line.gateway_reference, line.order_id, line.amount, line.fee,
    line.currency, line.status, line.standing, line.occurred_on, line.settled_on,
    found.id, found.state, found.amount, found.fee, found.currency, found.gateway_reference, found.idempotency_key,
    (found.concluded_at AT TIME ZONE 'Asia/Jakarta')::date, found.found_by, charge.id,
    line.kind = 'charge' AND found.found_by = 'order' AND EXISTS (
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
FROM compared
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
    SELECT one.*, 'reference' AS found_by, 1 AS turn FROM payment_transactions AS one
    WHERE one.id = compared.transaction_id
    UNION ALL
    SELECT one.*, 'reference', 2 FROM payment_transactions AS one
    WHERE
        compared.transaction_id IS NULL AND one.gateway = line.gateway
        AND one.gateway_reference = line.gateway_reference AND one.kind = line.kind
    UNION ALL
    SELECT one.*, 'order', 3 FROM payment_transactions AS one
    WHERE
        compared.transaction_id IS NULL AND one.idempotency_key = line.order_id
        AND one.gateway = line.gateway AND one.kind = line.kind
    UNION ALL
    -- Of several refunds of one charge and amount, the first line is the first refund's.
    SELECT * FROM (
        SELECT one.*, 'charge', 4 FROM payment_transactions AS one
        WHERE
            compared.transaction_id IS NULL AND one.parent_id = charge.id AND one.kind = line.kind
            AND one.amount = line.amount AND one.currency = line.currency
        ORDER BY one.created_at, one.id
        LIMIT 1 OFFSET (
            SELECT count(*) FROM settlement_lines AS earlier
            WHERE
                earlier.gateway = line.gateway AND earlier.order_id = line.order_id AND earlier.kind = line.kind
                AND earlier.amount = line.amount AND earlier.status = line.status
                AND (earlier.occurred_at, earlier.id) < (line.occurred_at, line.id)
        )
    ) AS refund
    ORDER BY turn LIMIT 1
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
