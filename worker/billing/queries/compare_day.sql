-- Compares a gateway's book with ours of one day (Jakarta); what simply agrees is only counted. Returns one row: how many
-- movements the gateway settled, the lines whose sums, states or dates differ or that have no transaction of the day, the
-- transactions of the day without a line. `look_up_pairs.sql` says what these are.
-- Cost: one hash join of the day's lines and transactions (idx_settlement_lines_day, idx_payment_transactions_concluded),
-- in parallel on PostgreSQL 16 and later. As one aggregate: nothing but the ids of what differs leaves it.
SELECT
    count(*) FILTER (WHERE line.status = 'settled'),
    array_agg(line.id) FILTER (
        WHERE
        CASE
            WHEN line.id IS NULL THEN false
            WHEN paid.id IS NULL THEN line.status <> 'pending'
            WHEN line.status = 'settled' THEN
                paid.state <> 'succeeded' OR line.standing = 'repeat'
                OR paid.amount <> line.amount OR paid.currency <> line.currency OR paid.fee <> line.fee
                OR line.settled_on - line.occurred_on > %(late_after_days)s::int
                -- The fixed part by itself first: a comparison instead of a sum for nearly every line.
                OR (
                    line.fee > %(fee_fixed)s::numeric AND line.currency = 'IDR'
                    AND line.fee > line.amount * %(fee_rate)s::numeric + %(fee_fixed)s::numeric
                )
            WHEN line.status = 'failed' THEN paid.state = 'succeeded'
            ELSE paid.state = 'succeeded' AND %(is_due)s::boolean
        END
    ),
    array_agg(paid.id) FILTER (WHERE line.id IS NULL AND paid.state = 'succeeded' AND %(is_due)s::boolean)
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
