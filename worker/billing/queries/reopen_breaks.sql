-- Opens healed breaks that are there again; they age anew. Cost: linear in them. Carried by the primary key.
UPDATE reconciliation_breaks SET
    state = 'open', resolution = NULL, resolved_by = NULL, closed_at = NULL, opened_at = %(now)s::timestamptz
WHERE id = ANY (%(ids)s::uuid[]) AND state = 'healed'
