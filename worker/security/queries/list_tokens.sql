-- Returns API tokens, the newest first, without their digests. Cost: the whole table, which stays small, and a sort.
SELECT id, name, prefix, user_id, scopes, created_at, expires_at, last_used_at, revoked_at, rotated_from_id
FROM api_tokens
WHERE %(all)s::boolean OR (revoked_at IS NULL AND (expires_at IS NULL OR expires_at > %(now)s::timestamptz))
ORDER BY created_at DESC, id
