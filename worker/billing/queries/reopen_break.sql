-- Opens a break again that a person had resolved and returns its gateway and kind and the resolution that it had; nothing
-- if it is not resolved. Cost: one row. Carried by the primary key.
UPDATE reconciliation_breaks AS broken SET
    state = 'open', resolution = NULL, resolved_by = NULL, closed_at = NULL, opened_at = %(now)s::timestamptz
FROM (
    SELECT id, resolution FROM reconciliation_breaks
    WHERE id = %(id)s::uuid AND state = 'resolved' FOR UPDATE
) AS before
WHERE broken.id = before.id
RETURNING broken.gateway, broken.kind, before.resolution
