-- Charges by id, without holding them: their subscriptions are held first. Linear in the ids, by the primary key.
SELECT id, subscription_id, invoice_id, period_start, period_end, amount, currency
FROM payment_transactions WHERE id = ANY (%(ids)s::uuid[]) AND kind = 'charge'
