-- Unpaid subscriptions whose days of grace are over and no charge of whom may yet turn out to have succeeded, for this
-- transaction; rows that others hold are left out. Linear in the subscriptions whose period is over, by
-- idx_subscriptions_renewal.
SELECT s.id FROM subscriptions s JOIN plans p ON p.id = s.plan_id
WHERE s.state = 'past_due' AND s.period_end <= %(now)s::timestamptz
  AND coalesce(s.grace_ends_at, s.period_end + (p.grace_days + 1) * interval '1 day') <= %(now)s::timestamptz
  AND NOT EXISTS (SELECT FROM payment_transactions t WHERE t.subscription_id = s.id AND t.kind = 'charge'
                  AND t.state IN ('intended', 'unknown'))
LIMIT %(limit)s
FOR NO KEY UPDATE OF s SKIP LOCKED
