-- Makes a row say what the catalogue's entry says, found by its label (unique index); inserted when it is not there, as
-- after a restore or on a new database. Parents first, or an incremental one is refused. One row a statement.
INSERT INTO backups (id, label, kind, parent_id, state, location, server_version, start_lsn, end_lsn, timeline, size_bytes,
                     stored_bytes, checksum_state, started_at, finished_at, proven_at, restore_ms, is_held, error, details)
SELECT %(id)s::uuid, %(label)s::text, %(kind)s::text, (SELECT id FROM backups WHERE label = %(parent)s::text), 'complete',
       %(location)s::text, %(server_version)s::text, %(start_lsn)s::text, %(end_lsn)s::text, %(timeline)s::int,
       %(size_bytes)s::bigint, %(stored_bytes)s::bigint, %(checksum_state)s::text, %(started_at)s::timestamptz,
       %(finished_at)s::timestamptz, %(proven_at)s::timestamptz, %(restore_ms)s::bigint, %(is_held)s::boolean,
       %(problem)s::text, %(details)s::jsonb
ON CONFLICT (label) DO UPDATE SET
    state = 'complete', kind = excluded.kind, parent_id = excluded.parent_id, location = excluded.location,
    start_lsn = excluded.start_lsn, end_lsn = excluded.end_lsn, timeline = excluded.timeline,
    size_bytes = excluded.size_bytes, stored_bytes = excluded.stored_bytes, checksum_state = excluded.checksum_state,
    finished_at = excluded.finished_at, proven_at = excluded.proven_at, restore_ms = excluded.restore_ms,
    is_held = excluded.is_held, error = excluded.error, details = excluded.details
