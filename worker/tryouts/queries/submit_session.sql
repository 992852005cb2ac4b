-- Records that a sitting was submitted, once; no row: it was before, or has not begun. After the deadline and its grace it
-- is marked late, and a sitting that was closed by then keeps its state. Cost: one update by key.
-- Carried by pk_tryout_sessions.
UPDATE tryout_sessions
SET state = CASE state WHEN 'in_progress' THEN 'submitted' ELSE state END,
    submitted_at = %(now)s::timestamptz,
    is_late = state <> 'in_progress'
        OR coalesce(%(now)s::timestamptz > deadline_at + %(grace_s)s::integer * interval '1 second', false)
WHERE id = %(id)s::uuid AND submitted_at IS NULL AND started_at IS NOT NULL
RETURNING state
