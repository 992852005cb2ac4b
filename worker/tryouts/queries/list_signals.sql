-- Returns what was found lately, newest and strongest first, with the learners concerned.
-- Cost: linear in the findings of the time asked for. Carried by idx_tryout_signals_found.
SELECT signal.found_at, signal.kind, signal.strength, signal.evidence::text AS evidence, signal.tryout_session_id,
       one.user_id, signal.other_session_id, other.user_id AS other_user_id, one.question_set_id
FROM tryout_signals AS signal
JOIN tryout_sessions AS one ON one.id = signal.tryout_session_id
LEFT JOIN tryout_sessions AS other ON other.id = signal.other_session_id
WHERE signal.found_at > %(after)s::timestamptz
ORDER BY signal.found_at DESC, signal.strength DESC
LIMIT %(limit)s::integer
