-- Subscriptions that live past their period and grace although no charge of theirs may still be under way. Linear in the
-- subscriptions whose period is over, by idx_subscriptions_renewal.
SELECT s.id AS subscription_id, s.state, s.period_end, s.grace_ends_at
FROM subscriptions s JOIN plans p ON p.id = s.plan_id
WHERE s.state IN ('trialing', 'active', 'past_due')
  AND coalesce(s.grace_ends_at, s.period_end + (p.grace_days + 1) * interval '1 day')
      < %(now)s::timestamptz - %(slack)s::interval
  AND s.period_end < %(now)s::timestamptz - %(slack)s::interval
  AND NOT EXISTS (SELECT FROM payment_transactions t WHERE t.subscription_id = s.id AND t.kind = 'charge'
                  AND t.state IN ('intended', 'unknown'))
LIMIT %(limit)s
