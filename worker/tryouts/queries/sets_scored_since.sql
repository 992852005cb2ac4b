-- Returns the sets with sittings scored in a span of time. Cost: linear in those sittings.
-- Carried by idx_tryout_sessions_scored_at.
SELECT DISTINCT question_set_id FROM tryout_sessions
WHERE state = 'scored' AND scored_at > %(after)s::timestamptz AND scored_at <= %(until)s::timestamptz
ORDER BY question_set_id
