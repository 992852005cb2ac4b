-- Makes a sitting and returns its id; no row: the id is taken or the learner unknown. The id comes from the client, so
-- sending it again is harmless. Cost: one insert, one look-up. Carried by pk_tryout_sessions and pk_users.
INSERT INTO tryout_sessions (id, user_id, question_set_id)
SELECT %(id)s::uuid, learner.id, %(set_id)s::uuid FROM users AS learner WHERE learner.id = %(user_id)s::uuid
ON CONFLICT (id) DO NOTHING
RETURNING id
