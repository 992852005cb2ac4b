-- Marks objects of one kind for the refresh.
-- Cost: linear in the ids.
INSERT INTO search_dirty (object_type, object_id) SELECT %(kind)s::text, unnest(%(ids)s::uuid[])
