-- Returns ranges of ids that hold at most so many scored sittings of a set each, in order.
-- Cost: linear in the set's sittings. Carried by idx_tryout_sessions_question_set.
SELECT first, last
FROM (
    SELECT id AS first, number,
           coalesce(lead(id, %(size)s::integer - 1) OVER (ORDER BY id), last_value(id) OVER whole) AS last
    FROM (
        SELECT id, row_number() OVER (ORDER BY id) - 1 AS number
        FROM tryout_sessions
        WHERE question_set_id = %(set_id)s::uuid AND state = 'scored'
    ) AS numbered
    WINDOW whole AS (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
) AS candidates
WHERE number %% %(size)s::integer = 0
ORDER BY first
