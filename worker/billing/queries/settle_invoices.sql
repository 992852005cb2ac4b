-- Marks invoices paid. Linear in their number, by the primary key; one that was given up is paid after all.
UPDATE invoices SET state = 'paid', paid_at = %(now)s::timestamptz
WHERE id = ANY (%(ids)s::uuid[]) AND state <> 'paid'
