-- The search vector of a lesson: all that it shows.
CREATE FUNCTION lesson_search_vector(lesson lessons) RETURNS tsvector
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT search_vector_of(
        lesson.title, lesson.title_id,
        concat_ws(' ', lesson.topic, lesson.path, lesson.unit),
        lesson.description, lesson.description_id,
        texts.english, texts.indonesian
    )
    FROM search_json_text(lesson.sections) AS texts
$$
