-- Takes one attempt out of the inbox and returns it, as `take_batch` does. Carried by pk_attempt_inbox.
DELETE FROM attempt_inbox
WHERE id = %(id)s::uuid
RETURNING id, user_id, question_id, lesson_id, tryout_session_id, answer, time_spent_ms, attempted_at, received_at, source
