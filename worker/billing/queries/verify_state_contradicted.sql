-- Payments whose columns say another state than the one they have: concluded ones that are still looked at, successes with
-- a decline, declines without one. A scan of the payments.
SELECT id AS payment_id, kind, state, look_again_at, decline_kind
FROM payment_transactions
WHERE (state IN ('succeeded', 'declined', 'cancelled') AND look_again_at IS NOT NULL
       OR state = 'succeeded' AND (decline_kind IS NOT NULL OR decline_code IS NOT NULL)
       OR state = 'declined' AND decline_kind IS NULL)
  AND %(now)s::timestamptz IS NOT NULL AND %(slack)s::interval IS NOT NULL
LIMIT %(limit)s
