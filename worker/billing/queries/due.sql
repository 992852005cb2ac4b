-- The subscriptions of a gateway that are to be charged, the longest due first. Linear in their number, by
-- idx_subscriptions_due.
SELECT id, state, amount, currency FROM subscriptions
WHERE gateway = %(gateway)s::text AND next_attempt_at <= %(now)s::timestamptz
  AND state IN ('trialing', 'active', 'past_due')
ORDER BY next_attempt_at
