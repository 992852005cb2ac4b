-- How many attempts are graded (by the learners' counters), rejected, and waiting: one row.
-- Cost: learners, rejections and the inbox.
SELECT (SELECT coalesce(sum(attempts), 0)::bigint FROM user_stats) AS graded,
       (SELECT count(*) FROM attempt_rejections) AS rejected,
       (SELECT count(*) FROM attempt_inbox) AS waiting
