-- Removes marks that were taken and settled.
-- Cost: linear in the ids, pk_search_dirty.
DELETE FROM search_dirty WHERE id = ANY(%(ids)s::uuid[])
