-- Statement trigger: learners who travelled to another time zone get the queue of the local day there.
CREATE FUNCTION users_rebuild_due_queues() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM srs_rebuild_due_queues(moved.learners)
    FROM (
        SELECT array_agg(after.id) AS learners
        FROM after
        JOIN before USING (id)
        WHERE after.timezone <> before.timezone
    ) AS moved
    WHERE moved.learners IS NOT NULL;
    RETURN NULL;
END
$$
