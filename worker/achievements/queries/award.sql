-- Awards achievements and returns those that were new, in no order. One that is held already, or was revoked, is left alone;
-- of transactions that award the same at once, the others wait for the first and find it done.
-- Cost: linear in the awards. Carried by uq_user_achievements_code.
INSERT INTO user_achievements (user_id, code, awarded_at, evidence)
SELECT user_id, code, %(now)s::timestamptz, evidence::jsonb
FROM unnest(%(user_ids)s::uuid[], %(codes)s::text[], %(evidence)s::text[]) AS earned (user_id, code, evidence)
ORDER BY user_id, code
ON CONFLICT (user_id, code) DO NOTHING
RETURNING user_id, code
