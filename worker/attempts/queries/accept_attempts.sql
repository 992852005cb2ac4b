-- Stores a group of attempts in the inbox and returns the ids that were new.
-- An id that is known already (waiting in the inbox, graded, or rejected) is left alone and not returned. The three
-- look-ups run first, on the statement's snapshot: without the one on the inbox, ON CONFLICT would wait for a drainer that is
-- just deleting the row. ON CONFLICT then settles what other API processes insert at the same time; the drain remains the
-- authority on what was processed between the snapshot and the insert.
-- Cost: linear in the group. Carried by the primary keys pk_attempt_inbox, pk_question_attempts (the bounds let the
-- executor skip all partitions but those of the ids' months) and pk_attempt_rejections.
WITH known AS MATERIALIZED (
    SELECT id FROM attempt_inbox WHERE id = ANY(%(ids)s::uuid[])
    UNION ALL
    SELECT id FROM question_attempts
    WHERE id = ANY(%(ids)s::uuid[]) AND id BETWEEN %(smallest_id)s::uuid AND %(largest_id)s::uuid
    UNION ALL
    SELECT id FROM attempt_rejections WHERE id = ANY(%(ids)s::uuid[])
)
INSERT INTO attempt_inbox (
    id, user_id, question_id, lesson_id, tryout_session_id, answer, time_spent_ms, attempted_at, received_at
)
SELECT sent.*, %(received_at)s::timestamptz
FROM unnest(
    %(ids)s::uuid[], %(user_ids)s::uuid[], %(question_ids)s::uuid[], %(lesson_ids)s::uuid[],
    %(tryout_session_ids)s::uuid[], %(answers)s::json[], %(times_spent_ms)s::int[], %(attempted_at)s::timestamptz[]
) AS sent (id, user_id, question_id, lesson_id, tryout_session_id, answer, time_spent_ms, attempted_at)
WHERE sent.id NOT IN (SELECT id FROM known)
ORDER BY sent.id  -- two processes that were sent the same attempts wait for each other in one order, and never crosswise
ON CONFLICT (id) DO NOTHING
RETURNING id
