-- Takes up to %(limit)s subscriptions of a gateway that are to be charged, the longest due first, for this transaction;
-- without a due time nobody takes them again before their charge is concluded. Rows that another worker holds are left
-- out. Linear in what is taken, by idx_subscriptions_due.
WITH due AS (
    SELECT id FROM subscriptions
    WHERE gateway = %(gateway)s::text AND next_attempt_at <= %(now)s::timestamptz
      AND state IN ('trialing', 'active', 'past_due')
    ORDER BY next_attempt_at
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
UPDATE subscriptions SET next_attempt_at = NULL FROM due WHERE subscriptions.id = due.id
RETURNING subscriptions.id
