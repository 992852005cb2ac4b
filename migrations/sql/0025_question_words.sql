-- The words of a question that learners may find it by, as they are written: no stems, no explanation, no answer key.
CREATE FUNCTION question_words(question questions) RETURNS tsvector
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT to_tsvector('simple', unaccent(concat_ws(' ', question.stem, question.stem_id, question.topic, offered.texts)))
    FROM (
        SELECT string_agg(option.text #>> '{}', ' ') AS texts
        FROM jsonb_path_query(question.options, 'strict $.**.text', '{}', true) AS option (text)
        WHERE jsonb_typeof(option.text) = 'string'
    ) AS offered
$$
