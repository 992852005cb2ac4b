-- Returns ranges of learner ids, so many marked learners each, that together hold every marked learner once.
-- Cost: all marks once. Carried by idx_achievement_marks_user.
SELECT (array_agg(user_id ORDER BY user_id))[1] AS first, (array_agg(user_id ORDER BY user_id DESC))[1] AS last
FROM (
    SELECT user_id, (row_number() OVER (ORDER BY user_id) - 1) / %(learners)s::integer AS range
    FROM (SELECT DISTINCT user_id FROM achievement_marks) AS marked
) AS numbered
GROUP BY range
ORDER BY range
