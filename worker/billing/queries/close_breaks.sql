-- Closes open breaks that are no more. Cost: linear in them. Carried by the primary key.
UPDATE reconciliation_breaks SET
    state = 'healed', resolution = 'agrees now', resolved_by = %(actor)s::text, closed_at = %(now)s::timestamptz
WHERE id = ANY (%(ids)s::uuid[]) AND state = 'open'
