-- Sums what we hold for paid in a time at a gateway, by kind and currency: transactions, amount.
-- Cost: linear in the time's transactions. Carried by idx_payment_transactions_concluded.
SELECT kind, currency, count(*), sum(amount)
FROM payment_transactions
WHERE
    gateway = %(gateway)s::text AND state = 'succeeded'
    AND concluded_at >= %(begins_at)s::timestamptz AND concluded_at < %(ends_at)s::timestamptz
GROUP BY kind, currency
ORDER BY kind, currency
