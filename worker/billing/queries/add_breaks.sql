-- Stores new breaks of a day, open or (what was put right already) healed. Cost: linear in the breaks.
-- Carried by uq_reconciliation_runs_day (the day's run) and uq_reconciliation_breaks_fingerprint.
INSERT INTO reconciliation_breaks (
    run_id, fingerprint, kind, state, gateway, paid_on, payment_transaction_id, settlement_line_id, gateway_reference,
    order_id, currency, our_amount, gateway_amount, details, suggested_action, opened_at, closed_at, resolution,
    resolved_by
)
SELECT
    run.id, fingerprint, kind, CASE WHEN is_healed THEN 'healed' ELSE 'open' END, run.gateway, run.paid_on,
    transaction_id, line_id, gateway_reference, order_id, currency, our_amount, gateway_amount, details::jsonb, action,
    %(now)s::timestamptz, CASE WHEN is_healed THEN %(now)s::timestamptz END,
    CASE WHEN is_healed THEN 'settled after all' END, CASE WHEN is_healed THEN %(actor)s::text END
FROM unnest(
    %(fingerprints)s::text[], %(kinds)s::text[], %(healed)s::boolean[], %(transactions)s::uuid[], %(lines)s::uuid[],
    %(references)s::text[], %(orders)s::text[], %(currencies)s::text[], %(ours)s::numeric[], %(theirs)s::numeric[],
    %(details)s::text[], %(actions)s::text[]
) AS found (
    fingerprint, kind, is_healed, transaction_id, line_id, gateway_reference, order_id, currency, our_amount,
    gateway_amount, details, action
)
JOIN reconciliation_runs AS run ON run.gateway = %(gateway)s::text AND run.paid_on = %(day)s::date
ON CONFLICT (fingerprint) DO NOTHING
