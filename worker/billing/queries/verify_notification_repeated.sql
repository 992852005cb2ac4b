-- Events of a gateway that were kept more than once, so that each of them might have had its effect. A sort of the
-- notifications, by uq_webhook_inbox_event.
SELECT gateway, event_id, count(*) AS times
FROM webhook_inbox
WHERE %(now)s::timestamptz IS NOT NULL AND %(slack)s::interval IS NOT NULL
GROUP BY gateway, event_id
HAVING count(*) > 1
LIMIT %(limit)s
