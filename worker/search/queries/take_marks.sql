-- Takes the oldest marks after `after`: id, object_type, object_id. One refresh runs at a time (an advisory lock), so
-- nobody else takes them.
-- Cost: the marks returned, by pk_search_dirty (ids grow with time).
SELECT id, object_type, object_id
FROM search_dirty
WHERE id > %(after)s::uuid
ORDER BY id
LIMIT %(limit)s
