-- Refunds and chargebacks that the audit log does not know. Linear in them, an index probe each, by idx_audit_log_object.
SELECT t.id AS payment_id, t.kind, t.parent_id AS charge_id, t.amount
FROM payment_transactions t
WHERE t.kind IN ('refund', 'chargeback')
  AND NOT EXISTS (SELECT FROM audit_log a
                  WHERE a.object_type = 'charge' AND a.object_id = t.parent_id::text
                    AND t.id::text IN (a.after ->> 'refund_id', a.after ->> 'chargeback_id'))
  AND %(now)s::timestamptz IS NOT NULL AND %(slack)s::interval IS NOT NULL
LIMIT %(limit)s
