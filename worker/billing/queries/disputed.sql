-- Returns what a chargeback's open break stands for, and holds its charge: the charge, its subscription and period, how much of it
-- no chargeback has taken yet, how many have, and the settlement line. One probe each of primary keys and
-- idx_payment_transactions_parent.
SELECT
    charge.id, charge.subscription_id, charge.period_start, charge.amount - taken.amount, charge.currency, taken.number,
    broken.gateway, broken.paid_on, line.amount, line.currency, line.occurred_at,
    (SELECT line.gateway_reference WHERE NOT EXISTS (
        SELECT FROM payment_transactions AS other
        WHERE other.gateway = broken.gateway AND other.gateway_reference = line.gateway_reference
    ))
FROM reconciliation_breaks AS broken
JOIN settlement_lines AS line ON line.id = broken.settlement_line_id
JOIN payment_transactions AS charge ON charge.id = broken.payment_transaction_id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(other.amount), 0) AS amount, count(*) AS number
    FROM payment_transactions AS other
    WHERE other.parent_id = charge.id AND other.kind = 'chargeback' AND other.state = 'succeeded'
) AS taken
WHERE
    broken.id = %(id)s::uuid AND broken.kind = 'unknown_chargeback' AND broken.state = 'open'
    AND charge.kind = 'charge' AND charge.state = 'succeeded'
FOR NO KEY UPDATE OF charge, broken
