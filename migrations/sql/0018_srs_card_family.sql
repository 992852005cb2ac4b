-- What makes a card a sibling of others, as its learner wishes: 'word': what its question asks for (questions.family);
-- 'lesson': the first lesson, by id, that holds the question, else what it asks for. NULL: nothing.
-- Cost: one or two index probes; pk_questions, idx_lesson_questions_question.
CREATE FUNCTION srs_card_family(item uuid, siblings text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce(
        CASE
            WHEN siblings = 'lesson' THEN (
                SELECT held.lesson_id::text
                FROM lesson_questions AS held
                WHERE held.question_id = item
                ORDER BY held.lesson_id
                LIMIT 1
            )
        END,
        CASE
            WHEN siblings <> 'none' THEN (SELECT nullif(asked.family, '') FROM questions AS asked WHERE asked.id = item)
        END
    );
END
