-- Archives the lessons that an earlier seed made (ids of version 5) and this one does not, and returns nothing.
-- Cost: one scan of lessons, which are few, against a hash of the ids given.
UPDATE lessons
SET status = 'archived'
WHERE status <> 'archived'
  AND substr(id::text, 15, 1) = '5'
  AND NOT EXISTS (SELECT FROM unnest(%(ids)s::uuid[]) AS kept (id) WHERE kept.id = lessons.id)
