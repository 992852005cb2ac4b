-- Revokes an award that stands, or restores one that is revoked (with NULL), and says so in the audit log, in one go.
-- Returns a row if there was one to change. Cost: one index probe. Carried by uq_user_achievements_code.
WITH changed AS (
    UPDATE user_achievements
    SET revoked_at = %(revoked_at)s::timestamptz
    WHERE user_id = %(user_id)s::uuid AND code = %(code)s::text
      AND (revoked_at IS NULL) = (%(revoked_at)s::timestamptz IS NOT NULL)
    RETURNING id
)
INSERT INTO audit_log (occurred_at, actor, action, object_type, object_id, before, after)
SELECT %(now)s::timestamptz, %(actor)s::text, %(action)s::text, 'user_achievement', id::text,
       jsonb_build_object('is_revoked', %(revoked_at)s::timestamptz IS NULL),
       jsonb_build_object(
           'is_revoked', %(revoked_at)s::timestamptz IS NOT NULL,
           'user_id', %(user_id)s::uuid, 'code', %(code)s::text, 'reason', %(reason)s::text
       )
FROM changed
RETURNING object_id
