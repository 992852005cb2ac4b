-- Subscriptions whose period is over and that are to end with it, for this transaction; rows that others hold are left
-- out. Linear in the subscriptions whose period is over, by idx_subscriptions_renewal.
SELECT id FROM subscriptions
WHERE state IN ('trialing', 'active', 'past_due') AND period_end <= %(now)s::timestamptz AND cancel_at_period_end
  AND NOT EXISTS (SELECT FROM payment_transactions t WHERE t.subscription_id = subscriptions.id AND t.kind = 'charge'
                  AND t.state IN ('intended', 'unknown'))
LIMIT %(limit)s
FOR NO KEY UPDATE SKIP LOCKED
