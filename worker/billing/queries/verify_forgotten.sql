-- Subscriptions that nobody would ever charge again. One scan of the subscriptions that live.
SELECT s.id AS subscription_id, s.state, s.period_end
FROM subscriptions s
WHERE s.state IN ('trialing', 'active') AND s.next_attempt_at IS NULL AND NOT s.cancel_at_period_end
  AND s.gateway IS NOT NULL AND %(now)s::timestamptz IS NOT NULL AND %(slack)s::interval IS NOT NULL
  AND NOT EXISTS (SELECT FROM payment_transactions t WHERE t.subscription_id = s.id AND t.kind = 'charge'
                  AND t.state IN ('intended', 'pending', 'unknown'))
LIMIT %(limit)s
