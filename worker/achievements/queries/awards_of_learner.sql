-- Returns a learner's awards, revoked ones included; no row if there is none. Carried by uq_user_achievements_code.
-- Cost: linear in the learner's awards.
SELECT code, awarded_at, revoked_at, evidence FROM user_achievements WHERE user_id = %(user_id)s::uuid ORDER BY awarded_at, code
