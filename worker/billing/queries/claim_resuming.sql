-- Paused subscriptions whose pause is over, for this transaction; rows that others hold are left out. Linear in the
-- paused subscriptions, by idx_subscriptions_resuming.
SELECT id FROM subscriptions
WHERE state = 'paused' AND resumes_at <= %(now)s::timestamptz
LIMIT %(limit)s
FOR NO KEY UPDATE SKIP LOCKED
