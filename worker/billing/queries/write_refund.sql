-- Writes the intended refund of a charge; it is to be sent at once. One probe of the primary key.
INSERT INTO payment_transactions (id, user_id, subscription_id, kind, state, parent_id, amount, currency,
                                  idempotency_key, gateway, requested_at, look_again_at)
SELECT %(id)s::uuid, user_id, subscription_id, 'refund', 'intended', id, %(amount)s::numeric, currency, %(key)s::text,
       gateway, %(now)s::timestamptz, %(now)s::timestamptz
FROM payment_transactions WHERE id = %(charge_id)s::uuid
