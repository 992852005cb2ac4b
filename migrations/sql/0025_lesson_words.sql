-- The words of a lesson, as they are written: no stems.
CREATE FUNCTION lesson_words(lesson lessons) RETURNS tsvector
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT to_tsvector(
        'simple',
        unaccent(concat_ws(
            ' ', lesson.title, lesson.title_id, lesson.topic, lesson.path, lesson.unit,
            lesson.description, lesson.description_id, texts.english, texts.indonesian
        ))
    )
    FROM search_json_text(lesson.sections) AS texts
$$
