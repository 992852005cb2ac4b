-- Notifications that wait for more than a day. Linear in those that wait, by idx_webhook_inbox_waiting.
SELECT id AS notification_id, gateway, event_type, received_at
FROM webhook_inbox
WHERE state = 'received' AND received_at < %(now)s::timestamptz - %(slack)s::interval - interval '1 day'
LIMIT %(limit)s
