-- The columns of a table that can be written: name, whether it holds JSON, whether text, whether NULL, its type's OID.
-- One row a column, none if there is no such table; carried by the primary key of pg_attribute.
SELECT
    column_of.attname::text,
    column_of.atttypid IN ('json'::regtype, 'jsonb'::regtype),
    kind.typcategory = 'S',
    NOT column_of.attnotnull,
    column_of.atttypid::bigint
FROM pg_attribute column_of
JOIN pg_type kind ON kind.oid = column_of.atttypid
WHERE column_of.attrelid = to_regclass(%(table)s::text)
    AND column_of.attnum > 0
    AND NOT column_of.attisdropped
    AND column_of.attgenerated = ''
    AND column_of.attidentity <> 'a'
ORDER BY column_of.attnum
