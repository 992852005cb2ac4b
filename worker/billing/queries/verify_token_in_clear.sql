-- Subscriptions whose payment method is not what encryption makes of one (Fernet: base64 that begins with version 0x80).
-- A scan of the subscriptions.
SELECT id AS subscription_id, gateway
FROM subscriptions
WHERE substring(payment_token_encrypted FROM 1 FOR 3) <> '\x674141'::bytea
  AND %(now)s::timestamptz IS NOT NULL AND %(slack)s::interval IS NOT NULL
LIMIT %(limit)s
