-- How many attempts of these learners were graded (ever) and rejected (since an instant): one row of two counts.
-- Grows with the learners; carried by pk_user_stats and idx_attempt_rejections_user. Cheap enough to poll.
SELECT
    (SELECT coalesce(sum(attempts), 0) FROM user_stats WHERE user_id = ANY(%(learners)s::uuid[]))::bigint,
    (
        SELECT count(*) FROM attempt_rejections
        WHERE user_id = ANY(%(learners)s::uuid[]) AND rejected_at >= %(since)s::timestamptz
    )
