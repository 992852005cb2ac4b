-- Returns a set's newest sittings scored within a span of time, at most so many and one a learner: one agrees with oneself.
-- Cost: linear in the span's sittings. Carried by idx_tryout_sessions_scored_at.
SELECT DISTINCT ON (user_id) id FROM tryout_sessions
WHERE question_set_id = %(set_id)s::uuid AND state = 'scored' AND scored_at > %(after)s::timestamptz
  AND scored_at <= %(until)s::timestamptz
ORDER BY user_id, scored_at DESC
LIMIT %(most)s::integer
