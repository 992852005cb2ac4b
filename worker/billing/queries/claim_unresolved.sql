-- Takes up to %(limit)s payments of a gateway whose outcome is not known and that are to be looked at, the longest due
-- first; nobody else takes them for a while. Linear in what is taken, by idx_payment_transactions_look_again.
WITH due AS (
    SELECT id FROM payment_transactions
    WHERE gateway = %(gateway)s::text AND look_again_at <= %(now)s::timestamptz
      AND state IN ('intended', 'pending', 'unknown')
    ORDER BY look_again_at
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
UPDATE payment_transactions t SET look_again_at = %(look_again_at)s::timestamptz
FROM due, subscriptions s
WHERE t.id = due.id AND s.id = t.subscription_id
RETURNING t.id, t.kind, t.state, t.idempotency_key, t.amount, t.currency, t.requested_at, t.gateway_reference,
          s.payment_token_encrypted,
          s.state IN ('trialing', 'active', 'past_due') AND s.period_end = t.period_start
              AND s.gateway = t.gateway,
          (SELECT p.idempotency_key FROM payment_transactions p WHERE p.id = t.parent_id),
          (SELECT p.gateway_reference FROM payment_transactions p WHERE p.id = t.parent_id)
