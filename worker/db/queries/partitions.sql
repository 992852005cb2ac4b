-- The partitions of question_attempts by name: bounds, estimated rows, bytes with indexes.
-- One row a month plus the default partition, which should stay empty.
SELECT
    leaf.relname::text AS name,
    pg_get_expr(leaf.relpartbound, leaf.oid) AS bounds,
    greatest(leaf.reltuples, 0)::bigint AS estimated_rows,
    pg_total_relation_size(leaf.oid) AS total_bytes
FROM pg_partition_tree('question_attempts') tree
JOIN pg_class leaf ON leaf.oid = tree.relid
WHERE tree.isleaf
ORDER BY 1
