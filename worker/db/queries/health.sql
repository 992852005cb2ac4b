-- What the server says of itself, one row: its version, whether it is a standby, whether the schema was ever migrated.
-- Constant cost.
SELECT
    current_setting('server_version') AS version,
    pg_is_in_recovery() AS in_recovery,
    to_regclass('alembic_version') IS NOT NULL AS migrated
