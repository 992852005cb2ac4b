-- Marks the questions that a statement inserted or whose searchable texts it changed, in the editor's own transaction.
-- Cost: one hash join of the statement's rows with themselves; nothing is marked, and nobody is woken, by a statement that
-- changes no text (the refresh itself, a calibration, a change of status).
CREATE FUNCTION mark_questions_for_search() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO search_dirty (object_type, object_id) SELECT 'question', id FROM new_rows;
    ELSE
        INSERT INTO search_dirty (object_type, object_id)
        SELECT 'question', new_rows.id
        FROM new_rows
        LEFT JOIN old_rows ON old_rows.id = new_rows.id
        WHERE (new_rows.stem, new_rows.stem_id, new_rows.topic, new_rows.explanation, new_rows.explanation_id,
               new_rows.options)
              IS DISTINCT FROM
              (old_rows.stem, old_rows.stem_id, old_rows.topic, old_rows.explanation, old_rows.explanation_id,
               old_rows.options);
    END IF;
    IF FOUND THEN
        NOTIFY elp_search_dirty;
    END IF;
    RETURN NULL;
END
$$
