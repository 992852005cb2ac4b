-- Connections to this database by program and state: how many, and how long the oldest transaction has been open (s).
-- Grows with the server's connections. The server's own clock, since the ages are those of its transactions.
SELECT
    coalesce(nullif(application_name, ''), '(unnamed)') AS program,
    coalesce(state, 'unknown') AS state,
    count(*) AS connections,
    extract(epoch FROM clock_timestamp() - min(xact_start))::float8 AS oldest_transaction_s
FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend'
GROUP BY 1, 2
ORDER BY 3 DESC, 1, 2
