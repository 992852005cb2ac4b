-- Of the given names, those that are no partition of question_attempts.
-- Cost: the partitions, from the catalogue.
SELECT wanted.name
FROM unnest(%(names)s::text[]) AS wanted (name)
WHERE NOT EXISTS (
    SELECT FROM pg_inherits
    JOIN pg_class ON pg_class.oid = pg_inherits.inhrelid
    WHERE pg_inherits.inhparent = 'question_attempts'::regclass AND pg_class.relname = wanted.name
)
