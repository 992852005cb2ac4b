-- Subscriptions whose state is not the last one that the audit log has of them. An entry of each, by idx_audit_log_object.
SELECT s.id AS subscription_id, s.state, last.state AS audited
FROM subscriptions s
LEFT JOIN LATERAL (
    SELECT a.after ->> 'state' AS state FROM audit_log a
    WHERE a.object_type = 'subscription' AND a.object_id = s.id::text AND a.after ? 'state'
    ORDER BY a.occurred_at DESC, a.created_at DESC, a.id DESC
    LIMIT 1
) AS last ON true
WHERE s.state <> coalesce(last.state, CASE WHEN s.state IN ('trialing', 'active') THEN s.state ELSE 'unknown' END)
  AND %(now)s::timestamptz IS NOT NULL AND %(slack)s::interval IS NOT NULL
LIMIT %(limit)s
