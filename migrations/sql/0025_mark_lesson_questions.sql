-- Marks the questions that a statement put into lessons or took out of them. A change of positions marks nothing.
-- (Deleting a lesson takes its rows here with it, so this also covers questions that lose a topic that way.)
CREATE FUNCTION mark_lesson_questions_for_search() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO search_dirty (object_type, object_id) SELECT DISTINCT 'question', question_id FROM new_rows;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO search_dirty (object_type, object_id) SELECT DISTINCT 'question', question_id FROM old_rows;
    ELSE
        INSERT INTO search_dirty (object_type, object_id)
        SELECT DISTINCT 'question', question_id
        FROM (
            (SELECT lesson_id, question_id FROM new_rows EXCEPT SELECT lesson_id, question_id FROM old_rows)
            UNION ALL
            (SELECT lesson_id, question_id FROM old_rows EXCEPT SELECT lesson_id, question_id FROM new_rows)
        ) AS moved;
    END IF;
    IF FOUND THEN
        NOTIFY elp_search_dirty;
    END IF;
    RETURN NULL;
END
$$
