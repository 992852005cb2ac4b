-- Of the questions given that stand in lessons: what these lessons are about, in both languages, as one text a question.
CREATE FUNCTION question_topics(question_ids uuid[]) RETURNS TABLE (question_id uuid, topics text)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT placed.question_id, string_agg(DISTINCT concat_ws(' ', lesson.topic, lesson.title_id), ' ')
    FROM lesson_questions AS placed
    JOIN lessons AS lesson ON lesson.id = placed.lesson_id
    WHERE placed.question_id = ANY(question_ids)
    GROUP BY placed.question_id
$$
