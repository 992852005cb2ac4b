-- What waits at each payment gateway: subscriptions that are due and since when, payments whose outcome is not known and
-- since when (a pending one waits for its customer and is no worry): gateway, due, oldest_due_at, open, oldest_open_at.
-- Cost: what waits, by idx_subscriptions_due and idx_payment_transactions_open, each counted up to `most`.
WITH due AS (
    SELECT gateway, count(*) AS due, min(next_attempt_at) AS oldest_due_at
    FROM (SELECT gateway, next_attempt_at FROM subscriptions
          WHERE next_attempt_at <= %(now)s::timestamptz AND gateway IS NOT NULL
            AND state IN ('trialing', 'active', 'past_due')
          LIMIT %(most)s) AS waiting
    GROUP BY gateway
), open AS (
    SELECT gateway, count(*) AS open, min(requested_at) AS oldest_open_at
    FROM (SELECT gateway, requested_at FROM payment_transactions
          WHERE state IN ('intended', 'unknown')
          LIMIT %(most)s) AS unknown
    GROUP BY gateway
)
SELECT gateway, coalesce(due.due, 0) AS due, due.oldest_due_at, coalesce(open.open, 0) AS open, open.oldest_open_at
FROM due FULL JOIN open USING (gateway)
ORDER BY gateway
