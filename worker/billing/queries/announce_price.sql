-- Sets the coming price of a plan's subscriptions that are not over, tells each subscriber by an event, and returns how
-- many there were. Linear in the plan's subscriptions, by idx_subscriptions_plan.
WITH changed AS (
    UPDATE subscriptions SET next_amount = %(amount)s::numeric, next_amount_from = %(effective_at)s::timestamptz
    WHERE plan_id = %(plan_id)s::uuid AND state IN ('trialing', 'active', 'past_due', 'paused')
    RETURNING id, user_id, amount
), told AS (
    INSERT INTO app_events (kind, user_id, payload, created_at)
    SELECT 'billing.price_will_change', user_id,
           jsonb_build_object('subscription_id', id, 'amount', amount::text, 'new_amount', %(amount)s::numeric::text,
                              'from', %(effective_at)s::timestamptz),
           %(now)s::timestamptz
    FROM changed
    RETURNING 1
)
SELECT count(*) FROM told
