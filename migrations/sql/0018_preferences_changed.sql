-- Statement trigger: learners whose wishes about their queue changed get it built again.
CREATE FUNCTION user_preferences_rebuild_due_queues() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM srs_rebuild_due_queues(changed.learners)
    FROM (
        SELECT array_agg(after.user_id) AS learners
        FROM after
        JOIN before USING (user_id)
        WHERE (after.new_limit, after.review_limit, after.daily_goal, after.day_start_hour, after.review_order,
               after.new_order, after.bury_siblings, after.backlog_days, after.vacation_from, after.vacation_until)
            IS DISTINCT FROM
              (before.new_limit, before.review_limit, before.daily_goal, before.day_start_hour, before.review_order,
               before.new_order, before.bury_siblings, before.backlog_days, before.vacation_from, before.vacation_until)
    ) AS changed
    WHERE changed.learners IS NOT NULL;
    RETURN NULL;
END
$$
