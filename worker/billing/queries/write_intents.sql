-- Writes intended charges, before any gateway hears of them. Linear in their number; the indexes of the table refuse a
-- second open charge of a subscription and a second use of a key.
INSERT INTO payment_transactions (id, user_id, subscription_id, invoice_id, kind, state, amount, currency, period_start,
                                  period_end, attempt, idempotency_key, gateway, requested_at, look_again_at)
SELECT id, user_id, subscription_id, invoice_id, 'charge', 'intended', amount, currency, period_start, period_end,
       attempt, idempotency_key, gateway, %(now)s::timestamptz, %(look_again_at)s::timestamptz
FROM unnest(%(ids)s::uuid[], %(user_ids)s::uuid[], %(subscription_ids)s::uuid[], %(invoice_ids)s::uuid[],
            %(amounts)s::numeric[], %(currencies)s::text[], %(period_starts)s::timestamptz[],
            %(period_ends)s::timestamptz[], %(attempts)s::smallint[], %(keys)s::text[], %(gateways)s::text[])
     AS new (id, user_id, subscription_id, invoice_id, amount, currency, period_start, period_end, attempt,
             idempotency_key, gateway)
