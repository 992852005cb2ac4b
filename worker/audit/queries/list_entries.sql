-- Returns the newest entries, of one actor or one object where those are given. Cost: the rows returned, along
-- idx_audit_log_occurred, idx_audit_log_actor or idx_audit_log_object; with neither given, the newest of all.
SELECT occurred_at, actor, action, object_type, object_id, before, after
FROM audit_log
WHERE (%(actor)s::text IS NULL OR actor = %(actor)s::text)
    AND (%(object_type)s::text IS NULL OR object_type = %(object_type)s::text)
    AND (%(object_id)s::text IS NULL OR object_id = %(object_id)s::text)
ORDER BY occurred_at DESC, id DESC
LIMIT %(limit)s::bigint
