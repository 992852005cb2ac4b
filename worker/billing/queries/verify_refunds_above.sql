-- Charges of which more was given back than was charged. Linear in the refunds, by idx_payment_transactions_parent.
SELECT c.id AS charge_id, c.amount, sum(r.amount) AS given_back
FROM payment_transactions r JOIN payment_transactions c ON c.id = r.parent_id
WHERE r.state NOT IN ('declined', 'cancelled') AND r.kind = 'refund'
  AND %(now)s::timestamptz IS NOT NULL AND %(slack)s::interval IS NOT NULL
GROUP BY c.id
HAVING sum(r.amount) > c.amount
LIMIT %(limit)s
