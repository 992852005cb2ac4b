-- Subscriptions that nobody could charge within their days of grace (the gateway was away), for this transaction; rows
-- that others hold are left out. Linear in the subscriptions whose period is over, by idx_subscriptions_renewal.
SELECT s.id FROM subscriptions s JOIN plans p ON p.id = s.plan_id
WHERE s.state IN ('trialing', 'active') AND s.period_end <= %(now)s::timestamptz AND NOT s.cancel_at_period_end
  AND s.period_end + (p.grace_days + 1) * interval '1 day' <= %(now)s::timestamptz
  AND NOT EXISTS (SELECT FROM payment_transactions t WHERE t.subscription_id = s.id AND t.kind = 'charge'
                  AND t.state IN ('intended', 'unknown'))
LIMIT %(limit)s
FOR NO KEY UPDATE OF s SKIP LOCKED
