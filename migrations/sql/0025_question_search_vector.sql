-- The search vector of a question, given the topics of its lessons (question_topics). The answer key never comes in.
-- Explanations do, with weight C, and often give the answer away: what learners search leaves C out.
-- Options are words of either language, so their texts are read by both configurations; in the order of the alphabet, or a
-- phrase would tell in which order the editor put those of an ordering question.
CREATE FUNCTION question_search_vector(question questions, topics text) RETURNS tsvector
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT search_vector_of(
        question.stem, question.stem_id,
        concat_ws(' ', question.topic, topics),
        question.explanation, question.explanation_id,
        offered.texts, offered.texts
    )
    FROM (
        SELECT string_agg(option.text #>> '{}', ' ' ORDER BY (option.text #>> '{}') COLLATE "C") AS texts
        FROM jsonb_path_query(question.options, 'strict $.**.text', '{}', true) AS option (text)
        WHERE jsonb_typeof(option.text) = 'string'
    ) AS offered
$$
