-- The kinds of objects whose vectors do not all follow the present definition: object_type, marked_through, and the
-- definition's version. Locks them, so that only one rolls a definition out; those that are locked are left out.
-- Cost: two rows.
SELECT object_type, marked_through, search_vector_version()
FROM search_state
WHERE version <> search_vector_version()
ORDER BY object_type
FOR UPDATE SKIP LOCKED
