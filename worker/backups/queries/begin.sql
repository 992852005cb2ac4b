-- Writes down a backup that is being made; its parent, if it has one, is found by its label (unique index). One row.
INSERT INTO backups (id, label, kind, parent_id, location, server_version, started_at)
SELECT %(id)s::uuid, %(label)s::text, %(kind)s::text, (SELECT id FROM backups WHERE label = %(parent)s::text),
       %(location)s::text, %(server_version)s::text, %(started_at)s::timestamptz
