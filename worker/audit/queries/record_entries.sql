-- Records privileged changes. Returns nothing. Cost: the entries given, each into four indexes, and at the commit one
-- more index scan over the transaction's own (idx_audit_log_block) for their block.
INSERT INTO audit_log (occurred_at, actor, action, object_type, object_id, before, after)
SELECT
    %(now)s::timestamptz,
    entry.actor,
    entry.action,
    entry.object_type,
    entry.object_id,
    entry.before::jsonb,
    entry.after::jsonb
FROM unnest(
    %(actors)s::text[],
    %(actions)s::text[],
    %(object_types)s::text[],
    %(object_ids)s::text[],
    %(befores)s::text[],
    %(afters)s::text[]
) AS entry (actor, action, object_type, object_id, before, after)
