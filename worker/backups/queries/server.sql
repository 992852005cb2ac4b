-- What a backup must know of its server: one row; the sizes of all databases are the sum of their files' (stat calls, some
-- milliseconds a thousand files). No index.
SELECT system_identifier::text AS system_identifier,
       current_setting('server_version') AS server_version,
       current_setting('server_version_num')::int / 10000 AS major,
       (SELECT timeline_id FROM pg_control_checkpoint()) AS timeline,
       (SELECT setting::bigint * CASE unit WHEN 'B' THEN 1 ELSE 8192 END
        FROM pg_settings WHERE name = 'wal_segment_size') AS segment_bytes,
       current_setting('summarize_wal', true) = 'on' AS summarizes_wal,
       current_database() AS database,
       (SELECT rolname FROM pg_roles WHERE rolsuper AND rolcanlogin ORDER BY oid LIMIT 1) AS superuser,
       (SELECT sum(pg_database_size(oid))::bigint FROM pg_database) AS size_bytes,
       clock_timestamp() AS clock_at
FROM pg_control_system()
