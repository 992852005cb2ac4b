-- Returns the sittings of a set whose score changed, newest change first: who, from what, to what, and why.
-- Cost: linear in the set's changes. Carried by idx_tryout_sessions_question_set and idx_tryout_score_changes_session.
SELECT session.id AS session_id, session.user_id, change.earlier_raw_score, change.raw_score,
       change.earlier_is_passed, change.is_passed, change.reason, change.changed_at, change.run_id
FROM tryout_sessions AS session
JOIN tryout_score_changes AS change ON change.tryout_session_id = session.id
WHERE session.question_set_id = %(set_id)s::uuid AND (%(run_id)s::uuid IS NULL OR change.run_id = %(run_id)s::uuid)
ORDER BY change.changed_at DESC, session.id
LIMIT %(limit)s::integer
