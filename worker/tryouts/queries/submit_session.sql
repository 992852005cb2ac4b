-- Records that a sitting was submitted, once, and has it scored; no row: it was submitted before, has not begun, is unknown
-- or another learner's. After the deadline and its grace it is marked late, and one that was closed by then keeps its state.
-- The outbox entry is the net under the API's own nudge: two seconds later, and of the sittings whose ids end alike one
-- waits at a time, so that a flood of submissions is a few messages. With one key for all, commits would queue for it.
-- Cost: one update by key, one insert. Carried by pk_tryout_sessions and uq_job_outbox_dedupe_key.
WITH submitted AS (
    UPDATE tryout_sessions
    SET state = CASE state WHEN 'in_progress' THEN 'submitted' ELSE state END,
        submitted_at = %(now)s::timestamptz,
        is_late = state <> 'in_progress'
            OR coalesce(%(now)s::timestamptz > deadline_at + %(grace_s)s::integer * interval '1 second', false)
    WHERE id = %(id)s::uuid AND user_id = %(user_id)s::uuid AND submitted_at IS NULL AND started_at IS NOT NULL
    RETURNING id, state, submitted_at, is_late
)
SELECT id, state, submitted_at, is_late,
       CASE state WHEN 'submitted' THEN enqueue_job(
           'tryouts.score_waiting', '{}', 'tryouts.score_waiting:' || right(id::text, 1),
           %(now)s::timestamptz + interval '2 seconds'
       ) END AS entry_id
FROM submitted
