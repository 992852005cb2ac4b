-- Indexes that no query has used since the counters began, the largest first; partitions count with their parent.
-- Grows with the number of indexes. Left out: those that keep rows unique, which work without being scanned.
SELECT
    coalesce(pg_partition_root(usage.relid), usage.relid)::regclass::text AS table_name,
    coalesce(pg_partition_root(usage.indexrelid), usage.indexrelid)::regclass::text AS index_name,
    sum(pg_relation_size(usage.indexrelid))::bigint AS bytes
FROM pg_stat_user_indexes usage
JOIN pg_index ON pg_index.indexrelid = usage.indexrelid
WHERE NOT pg_index.indisunique
GROUP BY 1, 2
HAVING sum(usage.idx_scan) = 0
ORDER BY 3 DESC, 2
