-- Begins a sitting that was created and not begun: the deadline is this moment plus the set's duration. No row: it had
-- begun before. Cost: one update by key. Carried by pk_tryout_sessions.
UPDATE tryout_sessions AS session
SET state = 'in_progress', started_at = %(now)s::timestamptz,
    deadline_at = %(now)s::timestamptz + question_set.time_limit_seconds * interval '1 second'
FROM question_sets AS question_set
WHERE session.id = %(id)s::uuid AND session.state = 'created' AND question_set.id = session.question_set_id
RETURNING session.id
