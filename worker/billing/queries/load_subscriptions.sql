-- Subscriptions by id with what their plan says of them, held until the transaction ends, in the order of their ids so
-- that two who want the same ones wait instead of ending in a deadlock. Linear in the ids, by the primary keys.
SELECT s.id, s.user_id, s.plan_id, s.next_plan_id, s.state, s.anchor_on, s.timezone, s.period_start, s.period_end,
       s.amount, s.currency, s.grace_ends_at, s.cancel_at_period_end, s.cancelled_at, s.paused_at, s.resumes_at,
       s.next_attempt_at, s.declines, s.coupon_id, s.coupon_periods, s.introductory_periods, s.next_amount,
       s.next_amount_from, s.gateway, p.period_unit, p.period_count, p.grace_days
FROM subscriptions s JOIN plans p ON p.id = s.plan_id
WHERE s.id = ANY (%(ids)s::uuid[])
ORDER BY s.id
FOR NO KEY UPDATE OF s
