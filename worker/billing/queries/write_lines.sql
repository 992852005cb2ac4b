-- Writes the lines of invoices; a line that waited (its id is known) becomes part of one, with its share of the tax.
-- Linear in their number, by the primary key.
INSERT INTO invoice_lines AS line (id, subscription_id, invoice_id, kind, amount, tax)
SELECT id, subscription_id, invoice_id, kind, amount, tax
FROM unnest(%(ids)s::uuid[], %(subscription_ids)s::uuid[], %(invoice_ids)s::uuid[], %(kinds)s::text[],
            %(amounts)s::numeric[], %(taxes)s::numeric[])
     AS new (id, subscription_id, invoice_id, kind, amount, tax)
ON CONFLICT (id) DO UPDATE SET invoice_id = excluded.invoice_id, tax = excluded.tax
