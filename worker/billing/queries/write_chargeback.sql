-- Writes a chargeback of a charge, concluded when the gateway took the money. One probe of the primary key.
INSERT INTO payment_transactions (
    id, user_id, subscription_id, kind, state, parent_id, amount, currency, idempotency_key, gateway, gateway_reference,
    requested_at, concluded_at
)
SELECT
    %(id)s::uuid, user_id, subscription_id, 'chargeback', 'succeeded', id, %(amount)s::numeric, currency, %(key)s::text,
    gateway, %(reference)s::text, %(at)s::timestamptz, %(at)s::timestamptz
FROM payment_transactions WHERE id = %(charge_id)s::uuid
RETURNING user_id
