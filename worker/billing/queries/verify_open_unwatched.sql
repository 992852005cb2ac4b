-- Payments whose outcome is not known and that nobody looks at. Linear in the open ones, by idx_payment_transactions_open.
SELECT id AS payment_id, kind, state, requested_at, look_again_at
FROM payment_transactions
WHERE state IN ('intended', 'pending', 'unknown')
  AND (look_again_at IS NULL OR look_again_at < %(now)s::timestamptz - %(slack)s::interval - interval '1 day')
LIMIT %(limit)s
