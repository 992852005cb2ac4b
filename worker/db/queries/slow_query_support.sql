-- Whether pg_stat_statements is installed in this database and loaded by the server: one row of two truth values.
-- Constant cost. Its settings exist only where it is loaded, and unlike shared_preload_libraries everybody may see them.
SELECT
    EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_stat_statements') AS installed,
    current_setting('pg_stat_statements.max', true) IS NOT NULL AS loaded
