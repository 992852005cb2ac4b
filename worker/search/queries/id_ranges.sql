-- Cuts the lessons and questions into ranges of ids of so many rows each: object_type, first, last.
-- Cost: one pass over pk_lessons and pk_questions.
SELECT object_type, min(id::text COLLATE "C")::uuid AS first, max(id::text COLLATE "C")::uuid AS last
FROM (
    SELECT 'lesson' AS object_type, id, (row_number() OVER (ORDER BY id) - 1) / %(rows)s AS number FROM lessons
    UNION ALL
    SELECT 'question', id, (row_number() OVER (ORDER BY id) - 1) / %(rows)s FROM questions
) AS numbered
GROUP BY object_type, number
ORDER BY object_type, number
