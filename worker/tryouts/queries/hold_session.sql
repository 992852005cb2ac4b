-- Returns what decides whether a sitting takes answers, and holds its state until the transaction ends: a submission or
-- an expiry waits that long, other answers don't. Cost: one look-up. Carried by pk_tryout_sessions.
SELECT user_id, question_set_id, state, deadline_at FROM tryout_sessions WHERE id = %(id)s::uuid FOR SHARE
