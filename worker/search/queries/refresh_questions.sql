-- Makes the search vectors of the given questions true and returns, for each id that is settled: id, whether it was written.
-- Vectors are computed before any row is locked, and only rows whose vector differs are locked at all. One that an editor
-- holds, or has changed meanwhile, is not returned: it keeps its mark, so that neither waits for the other.
-- Cost: linear in the ids (pk_questions and idx_lesson_questions_question); computing a vector takes most of it.
WITH fresh AS MATERIALIZED (
    SELECT question.id, question.xmin AS row_version, question.search_vector AS old, question_search_vector(question, placed.topics) AS vector
    FROM questions AS question
    LEFT JOIN question_topics(%(ids)s::uuid[]) AS placed ON placed.question_id = question.id
    WHERE question.id = ANY(%(ids)s::uuid[])
),
locked AS MATERIALIZED (
    SELECT target.id
    FROM questions AS target
    JOIN fresh ON fresh.id = target.id
    WHERE target.xmin = fresh.row_version
      AND fresh.old IS DISTINCT FROM fresh.vector
    ORDER BY target.id
    FOR NO KEY UPDATE OF target SKIP LOCKED
),
written AS (
    UPDATE questions AS target
    SET search_vector = fresh.vector
    FROM locked
    JOIN fresh ON fresh.id = locked.id
    WHERE target.id = locked.id
    RETURNING target.id
)
SELECT fresh.id, written.id IS NOT NULL
FROM fresh
LEFT JOIN written ON written.id = fresh.id
WHERE written.id IS NOT NULL
   OR fresh.old IS NOT DISTINCT FROM fresh.vector
UNION ALL
SELECT wanted.id, false
FROM unnest(%(ids)s::uuid[]) AS wanted (id)
WHERE NOT EXISTS (SELECT FROM questions WHERE questions.id = wanted.id)
