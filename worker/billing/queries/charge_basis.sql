-- What the next period of some subscriptions is charged by: the plan that takes over, the coupon, the invoice if one
-- stands, how often it was tried, and lines that wait. Linear in the ids: primary keys, uq_invoices_period,
-- idx_payment_transactions_subscription, idx_invoice_lines_subscription.
SELECT s.id,
       n.id, n.amount, n.period_unit, n.period_count, n.grace_days,
       p.introductory_amount,
       c.percent_off, c.amount_off,
       i.id, i.total, i.period_end,
       (SELECT coalesce(max(t.attempt), 0) FROM payment_transactions t
        WHERE t.subscription_id = s.id AND t.period_start = s.period_end AND t.kind = 'charge'),
       (SELECT coalesce(json_agg(json_build_array(l.id, l.kind, l.amount::text) ORDER BY l.id), '[]')::text
        FROM invoice_lines l WHERE l.subscription_id = s.id AND l.invoice_id IS NULL),
       s.payment_token_encrypted
FROM subscriptions s
JOIN plans p ON p.id = s.plan_id
LEFT JOIN plans n ON n.id = s.next_plan_id
LEFT JOIN coupons c ON c.id = s.coupon_id AND (s.coupon_periods IS NULL OR s.coupon_periods > 0)
LEFT JOIN invoices i ON i.subscription_id = s.id AND i.period_start = s.period_end AND i.state = 'open'
WHERE s.id = ANY (%(ids)s::uuid[])
