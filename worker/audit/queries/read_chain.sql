-- Returns every block with each of its entries, blocks in order, entries of a block by id; then entries without a block
-- and, among the others, blocks without an entry. Cost: both tables once, and a sort of the log: for a nightly check.
SELECT
    blocks.number,
    blocks.block_id,
    blocks.entries,
    blocks.digest,
    entries.id,
    entries.block_id,
    (extract(epoch FROM entries.occurred_at) * 1000000)::bigint,
    (extract(epoch FROM entries.created_at) * 1000000)::bigint,
    entries.actor,
    entries.action,
    entries.object_type,
    entries.object_id,
    entries.before::text,
    entries.after::text,
    entries.digest
FROM audit_blocks AS blocks
FULL JOIN audit_log AS entries ON entries.block_id = blocks.block_id
ORDER BY blocks.number NULLS LAST, entries.id
