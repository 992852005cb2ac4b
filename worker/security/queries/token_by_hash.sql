-- Returns the API token with this digest that is neither revoked nor expired, with its account's role; none if that
-- account is not active. Cost: one look-up in uq_api_tokens_token_hash, one in pk_users.
SELECT tokens.id, tokens.scopes, tokens.user_id, users.role
FROM api_tokens AS tokens
LEFT JOIN users ON users.id = tokens.user_id
WHERE tokens.token_hash = %(digest)s::bytea
    AND tokens.revoked_at IS NULL
    AND (tokens.expires_at IS NULL OR tokens.expires_at > %(now)s::timestamptz)
    AND (tokens.user_id IS NULL OR users.is_active)
