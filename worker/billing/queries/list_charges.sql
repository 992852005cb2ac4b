-- Payments, the newest first; of one subscription or in one state where that is given. By the primary key's order, or
-- linear in the subscription's payments (idx_payment_transactions_subscription).
SELECT id, kind, state, subscription_id, amount, currency, period_start, attempt, gateway, gateway_reference,
       coalesce(decline_code, error) AS reason, requested_at, concluded_at
FROM payment_transactions
WHERE (%(subscription_id)s::uuid IS NULL OR subscription_id = %(subscription_id)s::uuid)
  AND (%(state)s::text IS NULL OR state = %(state)s::text)
ORDER BY id DESC
LIMIT %(limit)s
