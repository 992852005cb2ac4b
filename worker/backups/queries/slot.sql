-- The replication slot of the process `wal` and how much log the server keeps for it: no row when there is none. A view over
-- shared memory; no index.
SELECT active, coalesce(wal_status, 'lost') AS wal_status,
       greatest(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::bigint AS retained_bytes,
       safe_wal_size
FROM pg_replication_slots
WHERE slot_name = %(slot)s::text
