-- Of the lessons between two ids: how many there are, and the ids of those whose vector is not what its definition says
-- although no mark says so and no newer definition is being rolled out. With `share` less than 1 only that part is looked
-- at, another part for each `salt`.
-- Cost: linear in the rows looked at (pk_lessons); computing a vector takes most of it.
WITH sample AS MATERIALIZED (
    SELECT id
    FROM lessons
    WHERE id BETWEEN %(first)s::uuid AND %(last)s::uuid
      AND (hashtextextended(id::text, %(salt)s::bigint) & 1048575) < %(share)s::float8 * 1048576
)
SELECT (SELECT count(*) FROM sample),
       array(
           SELECT lesson.id
           FROM lessons AS lesson
           WHERE lesson.id IN (SELECT id FROM sample)
             AND lesson.search_vector IS DISTINCT FROM lesson_search_vector(lesson)
             AND NOT EXISTS (SELECT FROM search_dirty AS mark WHERE mark.object_type = 'lesson' AND mark.object_id = lesson.id)
           ORDER BY lesson.id
       )
