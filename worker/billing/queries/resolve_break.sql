-- Closes an open break as a person resolved it and returns its gateway and kind; nothing if it is not open.
-- Cost: one row. Carried by the primary key.
UPDATE reconciliation_breaks SET
    state = 'resolved', resolution = %(resolution)s::text, resolved_by = %(actor)s::text,
    closed_at = %(now)s::timestamptz
WHERE id = %(id)s::uuid AND state = 'open'
RETURNING gateway, kind
