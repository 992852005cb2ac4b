-- Invoices whose lines do not add up. A hash join of invoices and lines.
SELECT i.id AS invoice_id, i.total, sum(l.amount) AS lines, i.tax, sum(l.tax) AS line_taxes
FROM invoices i JOIN invoice_lines l ON l.invoice_id = i.id
WHERE %(now)s::timestamptz IS NOT NULL AND %(slack)s::interval IS NOT NULL
GROUP BY i.id
HAVING sum(l.amount) <> i.total OR sum(l.tax) <> i.tax
LIMIT %(limit)s
