-- Writes invoices, open or (where nothing is to be paid) paid. Linear in their number; one insertion into each of the
-- table's indexes a row.
INSERT INTO invoices (id, user_id, subscription_id, state, period_start, period_end, currency, total, tax, issued_at,
                      paid_at)
SELECT id, user_id, subscription_id, CASE WHEN total = 0 THEN 'paid' ELSE 'open' END, period_start, period_end,
       currency, total, tax, %(now)s::timestamptz, CASE WHEN total = 0 THEN %(now)s::timestamptz END
FROM unnest(%(ids)s::uuid[], %(user_ids)s::uuid[], %(subscription_ids)s::uuid[], %(period_starts)s::timestamptz[],
            %(period_ends)s::timestamptz[], %(currencies)s::text[], %(totals)s::numeric[], %(taxes)s::numeric[])
     AS new (id, user_id, subscription_id, period_start, period_end, currency, total, tax)
