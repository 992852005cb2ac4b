-- Subscriptions, the newest first, with their plan; of one learner or in one state where that is given. Linear in what
-- is shown for one learner (idx_subscriptions_user), else a sort of the subscriptions.
SELECT s.id, s.user_id, p.code AS plan, s.state, s.amount, s.currency, s.period_end, s.next_attempt_at, s.grace_ends_at,
       s.cancel_at_period_end, s.declines, s.gateway
FROM subscriptions s JOIN plans p ON p.id = s.plan_id
WHERE (%(user_id)s::uuid IS NULL OR s.user_id = %(user_id)s::uuid)
  AND (%(id)s::uuid IS NULL OR s.id = %(id)s::uuid)
  AND (%(state)s::text IS NULL OR s.state = %(state)s::text)
ORDER BY s.created_at DESC, s.id
LIMIT %(limit)s
