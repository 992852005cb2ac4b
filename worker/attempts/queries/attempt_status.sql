-- Returns what is known of one attempt, wherever it is: waiting in the inbox, graded, or rejected; no row if it is unknown.
-- The drain moves it in one transaction, so one statement sees it in exactly one place.
-- Cost: three index look-ups. Carried by pk_attempt_inbox, pk_question_attempts (one partition) and pk_attempt_rejections.
SELECT 'received' AS state, user_id, question_id, lesson_id, tryout_session_id, attempted_at, received_at,
       NULL::timestamptz AS graded_at, NULL::boolean AS is_correct, NULL::double precision AS score,
       NULL::timestamptz AS rejected_at, NULL::text AS reason, NULL::text AS detail
FROM attempt_inbox WHERE id = %(id)s::uuid
UNION ALL
SELECT 'graded', user_id, question_id, lesson_id, tryout_session_id, attempted_at, received_at,
       graded_at, is_correct, score, NULL, NULL, NULL
FROM question_attempts WHERE id = %(id)s::uuid
UNION ALL
SELECT 'rejected', user_id, question_id, NULL, NULL, attempted_at, received_at,
       NULL, NULL, NULL, rejected_at, reason, detail
FROM attempt_rejections WHERE id = %(id)s::uuid
