-- Returns breaks with both sides, the oldest opened first; each condition that is NULL is left out.
-- Cost: linear in the breaks that fit, up to the limit. Carried by idx_reconciliation_breaks_open, the primary key.
SELECT
    broken.id, broken.gateway, broken.kind, broken.state, broken.paid_on, broken.opened_at, broken.closed_at,
    broken.currency, broken.our_amount, broken.gateway_amount, broken.gateway_reference, broken.order_id,
    broken.payment_transaction_id, paid.state AS payment_state, paid.subscription_id, broken.settlement_line_id,
    line.kind AS line_kind, line.status AS line_status, line.fee AS line_fee, line.occurred_at, line.settled_on,
    report.name AS report, line.line_number, broken.details, broken.suggested_action, broken.resolution,
    broken.resolved_by
FROM reconciliation_breaks AS broken
LEFT JOIN payment_transactions AS paid ON paid.id = broken.payment_transaction_id
LEFT JOIN settlement_lines AS line ON line.id = broken.settlement_line_id
LEFT JOIN settlement_imports AS report ON report.id = line.import_id
WHERE
    (%(id)s::uuid IS NULL OR broken.id = %(id)s::uuid)
    AND (%(state)s::text IS NULL OR broken.state = %(state)s::text)
    AND (%(gateway)s::text IS NULL OR broken.gateway = %(gateway)s::text)
    AND (%(kind)s::text IS NULL OR broken.kind = %(kind)s::text)
    AND (%(day)s::date IS NULL OR broken.paid_on = %(day)s::date)
ORDER BY broken.opened_at, broken.id
LIMIT %(limit)s::int
