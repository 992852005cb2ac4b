-- The statements of this database that cost most time in all, the costliest first; times in ms, the text cut at 2,000 characters.
-- Reads and sorts what pg_stat_statements holds: 5,000 rows by default.
SELECT
    statements.queryid::text AS id,
    left(statements.query, 2000) AS query,
    statements.calls,
    statements.total_exec_time AS total_ms,
    statements.mean_exec_time AS mean_ms,
    statements.max_exec_time AS max_ms,
    statements.rows,
    round(
        statements.shared_blks_hit::numeric / nullif(statements.shared_blks_hit + statements.shared_blks_read, 0), 4
    )::float8 AS cache_hit_share
FROM pg_stat_statements statements
WHERE statements.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY statements.total_exec_time DESC
LIMIT %(limit)s::int
