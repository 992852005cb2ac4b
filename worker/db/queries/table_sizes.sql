-- Each table with its estimated rows and its bytes: data, indexes, long values (TOAST), all; the largest first.
-- Grows with the number of tables and partitions, whose files are measured; partitions count with their parent.
SELECT
    coalesce(pg_partition_root(leaf.oid), leaf.oid)::regclass::text AS table_name,
    sum(greatest(leaf.reltuples, 0))::bigint AS estimated_rows,
    coalesce(sum(usage.n_dead_tup), 0)::bigint AS dead_rows,
    sum(pg_relation_size(leaf.oid))::bigint AS data_bytes,
    sum(pg_indexes_size(leaf.oid))::bigint AS index_bytes,
    sum(pg_table_size(leaf.oid) - pg_relation_size(leaf.oid))::bigint AS toast_bytes,
    sum(pg_total_relation_size(leaf.oid))::bigint AS total_bytes
FROM pg_class leaf
JOIN pg_namespace ON pg_namespace.oid = leaf.relnamespace
LEFT JOIN pg_stat_user_tables usage ON usage.relid = leaf.oid
WHERE leaf.relkind = 'r' AND pg_namespace.nspname NOT IN ('pg_catalog', 'information_schema')
GROUP BY 1
ORDER BY total_bytes DESC, 1
