-- Takes the oldest attempts of a lane out of the inbox and returns them.
-- The lane's advisory lock is held, so nobody else deletes these rows; found and deleted in one statement by their
-- physical place (TID scan), which is exact: what another transaction commits meanwhile stays for the next batch.
-- Cost: linear in the batch. Carried by idx_attempt_inbox_lane (lane, seq).
DELETE FROM attempt_inbox
WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM attempt_inbox WHERE lane = %(lane)s ORDER BY seq LIMIT %(limit)s
))
RETURNING id, user_id, question_id, lesson_id, tryout_session_id, answer, time_spent_ms, attempted_at, received_at, source
