-- Marks the lessons that a statement inserted or whose searchable texts it changed, and the questions of those whose
-- topic it changed: a question is found by its lessons' topics.
-- Cost: as for questions, plus the questions of lessons with a new topic (pk_lesson_questions).
CREATE FUNCTION mark_lessons_for_search() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    marked boolean;
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO search_dirty (object_type, object_id) SELECT 'lesson', id FROM new_rows;
        marked := FOUND;
    ELSE
        INSERT INTO search_dirty (object_type, object_id)
        SELECT 'lesson', new_rows.id
        FROM new_rows
        LEFT JOIN old_rows ON old_rows.id = new_rows.id
        WHERE (new_rows.title, new_rows.title_id, new_rows.topic, new_rows.path, new_rows.unit, new_rows.description,
               new_rows.description_id, new_rows.sections)
              IS DISTINCT FROM
              (old_rows.title, old_rows.title_id, old_rows.topic, old_rows.path, old_rows.unit, old_rows.description,
               old_rows.description_id, old_rows.sections);
        marked := FOUND;
        INSERT INTO search_dirty (object_type, object_id)
        SELECT 'question', lesson_questions.question_id
        FROM new_rows
        JOIN old_rows ON old_rows.id = new_rows.id
        JOIN lesson_questions ON lesson_questions.lesson_id = new_rows.id
        WHERE (new_rows.topic, new_rows.title_id) IS DISTINCT FROM (old_rows.topic, old_rows.title_id);
        marked := marked OR FOUND;
    END IF;
    IF marked THEN
        NOTIFY elp_search_dirty;
    END IF;
    RETURN NULL;
END
$$
