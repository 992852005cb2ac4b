-- Writes what has become of subscriptions that this transaction holds. Linear in their number, by the primary key.
UPDATE subscriptions s
SET plan_id = new.plan_id, next_plan_id = new.next_plan_id, state = new.state, anchor_on = new.anchor_on,
    period_start = new.period_start, period_end = new.period_end, amount = new.amount,
    grace_ends_at = new.grace_ends_at, cancel_at_period_end = new.cancel_at_period_end,
    cancelled_at = new.cancelled_at, paused_at = new.paused_at, resumes_at = new.resumes_at,
    next_attempt_at = new.next_attempt_at, declines = new.declines, coupon_periods = new.coupon_periods,
    introductory_periods = new.introductory_periods, next_amount = new.next_amount,
    next_amount_from = new.next_amount_from
FROM unnest(%(ids)s::uuid[], %(plan_ids)s::uuid[], %(next_plan_ids)s::uuid[], %(states)s::text[],
            %(anchors)s::date[], %(period_starts)s::timestamptz[], %(period_ends)s::timestamptz[],
            %(amounts)s::numeric[], %(grace_ends)s::timestamptz[], %(cancels)s::boolean[],
            %(cancelled)s::timestamptz[], %(paused)s::timestamptz[], %(resumes)s::timestamptz[],
            %(next_attempts)s::timestamptz[], %(declines)s::smallint[], %(coupon_periods)s::smallint[],
            %(introductory)s::smallint[], %(next_amounts)s::numeric[], %(next_amounts_from)s::timestamptz[])
     AS new (id, plan_id, next_plan_id, state, anchor_on, period_start, period_end, amount, grace_ends_at,
             cancel_at_period_end, cancelled_at, paused_at, resumes_at, next_attempt_at, declines, coupon_periods,
             introductory_periods, next_amount, next_amount_from)
WHERE s.id = new.id
