-- Marks the next lessons in order of their ids whose vectors were made by an older definition, and returns how many were
-- marked and the last of them (NULL: none is left).
-- Cost: linear in the rows marked (pk_lessons).
WITH outdated AS (
    SELECT id FROM lessons WHERE id > %(after)s::uuid ORDER BY id LIMIT %(limit)s
),
marked AS (
    INSERT INTO search_dirty (object_type, object_id) SELECT 'lesson', id FROM outdated ORDER BY id
)
SELECT count(*), (SELECT id FROM outdated ORDER BY id DESC LIMIT 1) FROM outdated
