-- Open breaks of reconciliation by gateway and kind: gateway, kind, breaks, oldest_at.
-- Cost: linear in the open breaks, counted up to `most`. Carried by idx_reconciliation_breaks_open.
SELECT gateway, kind, count(*) AS breaks, min(opened_at) AS oldest_at
FROM (
    SELECT gateway, kind, opened_at FROM reconciliation_breaks WHERE state = 'open' LIMIT %(most)s
) AS broken
GROUP BY gateway, kind
ORDER BY gateway, kind
