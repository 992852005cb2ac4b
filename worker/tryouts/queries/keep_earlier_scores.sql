-- Keeps the scores that are about to be replaced, beside what they become. Run before the sittings are written.
-- Cost: linear in the sittings given. Carried by pk_tryout_sessions.
INSERT INTO tryout_score_changes (
    tryout_session_id, run_id, reason, earlier_raw_score, earlier_max_score, earlier_is_passed, earlier_scored_at,
    earlier_result, raw_score, max_score, is_passed, changed_at
)
SELECT session.id, %(run_id)s::uuid, %(reason)s::text, session.raw_score, session.max_score, session.is_passed,
       session.scored_at, session.result, given.raw_score, given.max_score, given.is_passed, %(now)s::timestamptz
FROM unnest(%(ids)s::uuid[], %(raw_scores)s::numeric[], %(max_scores)s::numeric[], %(are_passed)s::boolean[])
    AS given (id, raw_score, max_score, is_passed)
JOIN tryout_sessions AS session ON session.id = given.id
