-- What a throttled refresh looks at: bytes of WAL that the slowest replica has not replayed, and sessions of this database
-- that are at work beside one's own.
-- Cost: sessions and replicas of the server. Without the role pg_monitor, other roles' figures are NULL and count as none.
SELECT
    (SELECT coalesce(max(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)), 0)::bigint FROM pg_stat_replication),
    (
        SELECT count(*)
        FROM pg_stat_activity
        WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid()
    )
