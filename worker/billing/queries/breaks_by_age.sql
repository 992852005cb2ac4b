-- Counts open breaks by gateway, kind, currency and age in days at an instant (0: up to a day, 1: to a week, 2: to thirty
-- days, 3: longer), with the sum that is at stake: what differs between both books, or what one of them alone has.
-- Cost: linear in the open breaks. Carried by idx_reconciliation_breaks_open.
SELECT
    gateway, kind, currency,
    CASE
        WHEN opened_at > %(now)s::timestamptz - interval '1 day' THEN 0
        WHEN opened_at > %(now)s::timestamptz - interval '7 days' THEN 1
        WHEN opened_at > %(now)s::timestamptz - interval '30 days' THEN 2
        ELSE 3
    END AS age,
    count(*) AS breaks,
    sum(
        CASE
            WHEN kind IN ('amount', 'fee') THEN abs(coalesce(gateway_amount, 0) - coalesce(our_amount, 0))
            ELSE coalesce(gateway_amount, our_amount, 0)
        END
    ) AS at_stake
FROM reconciliation_breaks
WHERE state = 'open'
GROUP BY gateway, kind, currency, age
ORDER BY gateway, kind, currency, age
