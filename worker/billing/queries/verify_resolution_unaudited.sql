-- Returns breaks that a person resolved without an entry in the audit log. Cost: linear in resolved breaks, an index probe
-- each. Carried by idx_audit_log_object.
SELECT broken.id, broken.gateway, broken.kind, broken.resolved_by
FROM reconciliation_breaks AS broken
WHERE
    broken.state = 'resolved'
    AND NOT EXISTS (
        SELECT FROM audit_log
        WHERE
            object_type = 'reconciliation_break' AND object_id = broken.id::text
            AND action = 'reconciliation.resolved'
    )
LIMIT %(limit)s::int
