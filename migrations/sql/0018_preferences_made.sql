-- Statement trigger: learners who wish something for the first time get their queue built again.
CREATE FUNCTION user_preferences_first_due_queues() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM srs_rebuild_due_queues(array_agg(after.user_id)) FROM after;
    RETURN NULL;
END
$$
