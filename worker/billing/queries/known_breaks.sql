-- Returns the breaks of a gateway's day as they are stored: fingerprint, id, state.
-- Cost: linear in them. Carried by idx_reconciliation_breaks_day.
SELECT fingerprint, id, state
FROM reconciliation_breaks
WHERE gateway = %(gateway)s::text AND paid_on = %(day)s::date
