-- How search stands, a row a kind: object_type, version of its vectors, the definition's version, rows, rows that a
-- rollout still has to mark, marks that wait and since when, whether words must be counted.
-- Cost: counts the rows of lessons and questions (index only), and the marks.
SELECT state.object_type, state.version, search_vector_version() AS wanted,
    CASE state.object_type WHEN 'lesson' THEN (SELECT count(*) FROM lessons) ELSE (SELECT count(*) FROM questions) END
        AS objects,
    CASE
        WHEN state.version = search_vector_version() THEN 0
        WHEN state.object_type = 'lesson'
        THEN (SELECT count(*) FROM lessons WHERE id > coalesce(state.marked_through, '00000000-0000-0000-0000-000000000000'))
        ELSE (SELECT count(*) FROM questions WHERE id > coalesce(state.marked_through, '00000000-0000-0000-0000-000000000000'))
    END AS unmarked,
    (SELECT count(*) FROM search_dirty WHERE search_dirty.object_type = state.object_type) AS marks,
    (SELECT min(marked_at) FROM search_dirty WHERE search_dirty.object_type = state.object_type) AS oldest_at,
    state.words_due
FROM search_state AS state
ORDER BY state.object_type
