-- Returns the statements that give an owner what is in the schema public and not yet theirs; what extensions brought
-- stays with them. Cost: the catalogue alone.
WITH of_extensions AS (
    SELECT classid, objid
    FROM pg_depend
    WHERE deptype = 'e'
)

SELECT format(
    'ALTER %%s %%I.%%I OWNER TO %%I',
    CASE relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END,
    'public',
    relname,
    %(owner)s::text
)
FROM pg_class
WHERE relnamespace = 'public'::regnamespace
    AND relkind IN ('r', 'p', 'v', 'm', 'S')
    AND pg_get_userbyid(relowner) <> %(owner)s::text
    AND ('pg_class'::regclass, oid) NOT IN (SELECT classid, objid FROM of_extensions)
    -- a sequence of a column goes with its table
    AND NOT (relkind = 'S' AND EXISTS (
        SELECT FROM pg_depend
        WHERE pg_depend.classid = 'pg_class'::regclass AND pg_depend.objid = pg_class.oid AND deptype IN ('a', 'i')
    ))
UNION ALL
SELECT format(
    'ALTER FUNCTION %%I.%%I(%%s) OWNER TO %%I',
    'public',
    proname,
    pg_get_function_identity_arguments(oid),
    %(owner)s::text
)
FROM pg_proc
WHERE pronamespace = 'public'::regnamespace
    AND prokind = 'f'
    AND pg_get_userbyid(proowner) <> %(owner)s::text
    AND ('pg_proc'::regclass, oid) NOT IN (SELECT classid, objid FROM of_extensions)
