-- Archives the questions that an earlier seed made (ids of version 5) and this one does not, and returns nothing.
-- Archived, not deleted: attempts and cards refer to them.
-- Cost: one scan of questions against a hash of the ids given.
UPDATE questions
SET status = 'archived'
WHERE status <> 'archived'
  AND substr(id::text, 15, 1) = '5'
  AND NOT EXISTS (SELECT FROM unnest(%(ids)s::uuid[]) AS kept (id) WHERE kept.id = questions.id)
