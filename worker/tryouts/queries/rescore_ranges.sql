-- Returns ranges of ids that hold at most so many scored sittings of a set each, in order.
-- Cost: linear in the set's sittings. Carried by idx_tryout_sessions_question_set.
SELECT min(id), max(id)
FROM (
    SELECT id, (row_number() OVER (ORDER BY id) - 1) / %(size)s::integer AS part
    FROM tryout_sessions
    WHERE question_set_id = %(set_id)s::uuid AND state = 'scored'
) AS numbered
GROUP BY part
ORDER BY part
