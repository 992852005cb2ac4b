-- Counts a start of a notification that waits, and returns it with the payment it is about, if it is one of ours. One
-- probe each of the primary key and uq_payment_transactions_idempotency_key.
WITH taken AS (
    UPDATE webhook_inbox SET starts = starts + 1 WHERE id = %(id)s::uuid AND state = 'received'
    RETURNING gateway, event_type, order_key
)
SELECT taken.gateway, taken.event_type, t.id, t.kind, t.state, t.idempotency_key, t.amount, t.currency,
       t.requested_at, t.gateway_reference, s.payment_token_encrypted
FROM taken
LEFT JOIN payment_transactions t ON t.idempotency_key = taken.order_key AND t.gateway = taken.gateway
LEFT JOIN subscriptions s ON s.id = t.subscription_id
