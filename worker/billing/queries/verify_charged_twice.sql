-- Successful charges of one subscription whose periods overlap. A sort of the successful charges, by
-- idx_payment_transactions_subscription.
SELECT subscription_id, id AS charge_id, period_start, earlier_end
FROM (
    SELECT subscription_id, id, period_start,
           lag(period_end) OVER (PARTITION BY subscription_id ORDER BY period_start) AS earlier_end
    FROM payment_transactions WHERE kind = 'charge' AND state = 'succeeded'
) AS charges
WHERE period_start < earlier_end AND %(now)s::timestamptz IS NOT NULL AND %(slack)s::interval IS NOT NULL
LIMIT %(limit)s
