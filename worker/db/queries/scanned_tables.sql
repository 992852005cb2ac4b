-- Tables read from end to end, where that read at least %(rows)s rows a time on average: an index may be missing.
-- Grows with the number of tables; the one with most rows read in all comes first, partitions count with their parent.
SELECT
    coalesce(pg_partition_root(relid), relid)::regclass::text AS table_name,
    sum(seq_scan)::bigint AS scans,
    (sum(seq_tup_read) / sum(seq_scan))::bigint AS rows_a_scan,
    sum(coalesce(idx_scan, 0))::bigint AS index_scans,
    sum(n_live_tup)::bigint AS live_rows
FROM pg_stat_user_tables
GROUP BY 1
HAVING sum(seq_scan) > 0 AND sum(seq_tup_read) / sum(seq_scan) >= %(rows)s::bigint
ORDER BY sum(seq_tup_read) DESC
