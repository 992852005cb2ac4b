-- Returns who asks and with what rights, how many triggers guard the audit log, and figures of tokens and accounts.
-- Cost: the catalogue, the table of tokens, and a scan of users, whose admins are few and unindexed.
SELECT
    current_user::text,
    (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
    EXISTS (
        SELECT FROM pg_class WHERE oid = 'users'::regclass AND pg_has_role(current_user, relowner, 'member')
    ),
    (
        SELECT count(*)
        FROM pg_trigger
        WHERE tgrelid IN ('audit_log'::regclass, 'audit_blocks'::regclass)
            AND NOT tgisinternal
            AND tgenabled IN ('O', 'A')
            AND tgname IN (
                'audit_log_stamp', 'audit_log_seal', 'audit_log_append_only', 'audit_log_no_truncate',
                'audit_blocks_append_only', 'audit_blocks_no_truncate'
            )
    ),
    (SELECT count(*) FROM api_tokens WHERE revoked_at IS NULL AND expires_at IS NULL),
    (
        SELECT count(*)
        FROM api_tokens
        WHERE revoked_at IS NULL
            AND (expires_at IS NULL OR expires_at > %(now)s::timestamptz)
            AND coalesce(last_used_at, created_at) < %(unused_before)s::timestamptz
    ),
    (SELECT count(*) FROM users WHERE role = 'admin' AND is_active)
