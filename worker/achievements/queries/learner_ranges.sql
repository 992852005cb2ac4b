-- Returns ranges of learner ids, so many learners each, that hold every learner with counters between two ids once.
-- Cost: the learners between the ids once (index-only). Carried by pk_user_stats.
SELECT (array_agg(user_id ORDER BY user_id))[1] AS first, (array_agg(user_id ORDER BY user_id DESC))[1] AS last
FROM (
    SELECT user_id, (row_number() OVER (ORDER BY user_id) - 1) / %(learners)s::integer AS range
    FROM user_stats
    WHERE user_id BETWEEN %(first)s::uuid AND %(last)s::uuid
) AS numbered
GROUP BY range
ORDER BY range
