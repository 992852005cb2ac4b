-- The columns that a constraint or unique index of a table is about, one row of names with commas; NULL if none is known.
-- A few catalogue rows; indexes on expressions are found by what they depend on.
SELECT string_agg(column_of.attname, ', ' ORDER BY column_of.attnum)
FROM pg_attribute column_of
WHERE column_of.attrelid = to_regclass(%(table)s::text)
    AND column_of.attnum > 0
    AND (
        column_of.attnum IN (
            SELECT unnest(named.conkey)
            FROM pg_constraint named
            WHERE named.conrelid = column_of.attrelid AND named.conname = %(constraint)s::text
        )
        OR column_of.attnum IN (
            SELECT dependency.refobjsubid
            FROM pg_depend dependency
            JOIN pg_class index_of ON index_of.oid = dependency.objid
            WHERE dependency.classid = 'pg_class'::regclass
                AND dependency.refobjid = column_of.attrelid
                AND index_of.relname = %(constraint)s::text
        )
    )
