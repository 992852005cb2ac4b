-- Returns the tables that hold rows of persons: users itself, those with a user_id, and those that refer to one of
-- these by a foreign key, with the column that leads there and all their columns. Cost: the catalogue alone.
WITH direct AS (
    SELECT pg_class.oid, relname, CASE relname WHEN 'users' THEN 'id' ELSE 'user_id' END AS key
    FROM pg_class
    JOIN pg_attribute ON attrelid = pg_class.oid
    WHERE relnamespace = 'public'::regnamespace
        AND relkind IN ('r', 'p')
        AND NOT relispartition
        AND NOT attisdropped
        AND (attname = 'user_id' OR (relname = 'users' AND attname = 'id'))
),

reached AS (
    SELECT oid, relname, key, NULL::name AS parent
    FROM direct
    UNION
    SELECT children.oid, children.relname, pg_attribute.attname, direct.relname
    FROM direct
    JOIN pg_constraint ON confrelid = direct.oid AND contype = 'f' AND cardinality(conkey) = 1
    JOIN pg_class AS children ON children.oid = conrelid AND NOT children.relispartition
    JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
    WHERE direct.relname <> 'users' AND conrelid NOT IN (SELECT oid FROM direct)
)

SELECT
    relname::text,
    key::text,
    parent::text,
    ARRAY(
        SELECT attname::text
        FROM pg_attribute
        WHERE attrelid = reached.oid AND attnum > 0 AND NOT attisdropped
        ORDER BY attnum
    )
FROM reached
ORDER BY relname, key
