-- Marks invoices paid. Linear in their number, by the primary key; one that is void already stays so.
UPDATE invoices SET state = 'paid', paid_at = %(now)s::timestamptz
WHERE id = ANY (%(ids)s::uuid[]) AND state = 'open'
