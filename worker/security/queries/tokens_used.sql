-- Sets when tokens were last used, never back in time. Cost: one look-up in pk_api_tokens for each token given.
UPDATE api_tokens
SET last_used_at = %(now)s::timestamptz
WHERE id = ANY(%(ids)s::uuid[])
    AND (last_used_at IS NULL OR last_used_at < %(now)s::timestamptz)
