-- Successful charges without a paid invoice of their period and amount, and paid invoices without their charge. A hash
-- join of charges and invoices.
SELECT coalesce(t.subscription_id, i.subscription_id) AS subscription_id, t.id AS charge_id, i.id AS invoice_id,
       t.amount, i.total, i.state
FROM (SELECT * FROM payment_transactions
      WHERE kind = 'charge' AND state = 'succeeded' AND invoice_id IS NOT NULL) AS t
FULL JOIN (SELECT * FROM invoices WHERE state = 'paid' AND total > 0) AS i ON i.id = t.invoice_id
LEFT JOIN invoices v ON v.id = t.invoice_id AND v.state = 'void'
WHERE v.id IS NULL AND %(now)s::timestamptz IS NOT NULL AND %(slack)s::interval IS NOT NULL
  AND (t.id IS NULL OR i.id IS NULL OR t.amount <> i.total OR t.period_start <> i.period_start)
LIMIT %(limit)s
