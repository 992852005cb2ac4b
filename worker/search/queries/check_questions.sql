-- Of the questions between two ids: how many there are, and the ids of those whose vector is not what its definition says
-- although no mark says so and no newer definition is being rolled out. With `share` less than 1 only that part is looked
-- at, another part for each `salt`.
-- Cost: linear in the rows looked at (pk_questions); computing a vector takes most of it.
WITH sample AS MATERIALIZED (
    SELECT id
    FROM questions
    WHERE id BETWEEN %(first)s::uuid AND %(last)s::uuid
      AND (hashtextextended(id::text, %(salt)s::bigint) & 1048575) < %(share)s::float8 * 1048576
)
SELECT (SELECT count(*) FROM sample),
       array(
           SELECT question.id
           FROM questions AS question
           LEFT JOIN question_topics(array(SELECT id FROM sample)) AS placed ON placed.question_id = question.id
           WHERE question.id IN (SELECT id FROM sample)
             AND question.search_vector IS DISTINCT FROM question_search_vector(question, placed.topics)
             AND NOT EXISTS (SELECT FROM search_dirty AS mark WHERE mark.object_type = 'question' AND mark.object_id = question.id)
           ORDER BY question.id
       )
