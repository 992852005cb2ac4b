-- Keeps a notification and has it processed, in one statement; a replay finds its event kept already and returns no row.
-- One probe of uq_webhook_inbox_event, and one insertion into the outbox.
WITH kept AS (
    INSERT INTO webhook_inbox (id, gateway, event_id, event_type, order_key, body, received_at)
    VALUES (%(id)s::uuid, %(gateway)s::text, %(event_id)s::text, %(event_type)s::text, %(order_key)s::text,
            %(body)s::bytea, %(now)s::timestamptz)
    ON CONFLICT (gateway, event_id) DO NOTHING
    RETURNING id
)
SELECT id, enqueue_job('billing.process_notification', jsonb_build_object('notification_id', id)) FROM kept
