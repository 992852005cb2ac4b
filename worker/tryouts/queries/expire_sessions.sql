-- Closes sittings whose deadline and grace have passed, at most so many; returns their ids. A sitting that is being
-- submitted or answered at this moment is left to that, or to the next run. Cost: linear in the overdue ones.
-- Carried by idx_tryout_sessions_overdue.
WITH overdue AS (
    SELECT id FROM tryout_sessions
    WHERE state = 'in_progress' AND deadline_at < %(closed_before)s::timestamptz
    ORDER BY deadline_at
    LIMIT %(limit)s::integer
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE tryout_sessions AS session SET state = 'expired'
FROM overdue WHERE session.id = overdue.id
RETURNING session.id
