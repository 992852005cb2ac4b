"""What a database's schema is, as text: two databases with equal catalogues have equal schemas."""

from typing import Any

from psycopg import Connection

# Every kind of object in schema public that is not an extension's own, each as one line of definition.
CATALOGUE = """
WITH own AS (
    SELECT objects.classid, objects.objid FROM (
        SELECT 'pg_class'::regclass AS classid, oid AS objid FROM pg_class WHERE relnamespace = 'public'::regnamespace
        UNION ALL
        SELECT 'pg_proc'::regclass, oid FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION ALL
        SELECT 'pg_type'::regclass, oid FROM pg_type WHERE typnamespace = 'public'::regnamespace
    ) AS objects
    WHERE NOT EXISTS (
        SELECT FROM pg_depend
        WHERE pg_depend.classid = objects.classid AND pg_depend.objid = objects.objid AND deptype = 'e'
    )
)
SELECT concat_ws(' ', 'relation', relname, relkind, reloptions, pg_get_partkeydef(oid), pg_get_expr(relpartbound, oid))
FROM pg_class WHERE oid IN (SELECT objid FROM own)
UNION ALL
SELECT concat_ws(' ', 'column', attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull, attidentity,
                 attgenerated, pg_get_expr(adbin, adrelid))
FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE pg_class.oid IN (SELECT objid FROM own) AND relkind IN ('r', 'p')
UNION ALL
SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid))
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 't' -- among the triggers below
UNION ALL
SELECT concat_ws(' ', 'index', pg_get_indexdef(oid))
FROM pg_class WHERE oid IN (SELECT objid FROM own) AND relkind IN ('i', 'I')
UNION ALL
SELECT concat_ws(' ', 'trigger', pg_get_triggerdef(oid)) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT concat_ws(' ', 'function', pg_get_functiondef(oid)) FROM pg_proc WHERE oid IN (SELECT objid FROM own)
UNION ALL
SELECT concat_ws(' ', 'type', typname) FROM pg_type WHERE oid IN (SELECT objid FROM own)
UNION ALL
SELECT concat_ws(' ', 'extension', extname) FROM pg_extension
"""


def catalogue(connection: Connection[Any]) -> list[str]:
    """Return the definitions of everything in the database but Alembic's own table, sorted."""
    rows = connection.execute(CATALOGUE).fetchall()
    return sorted(line for (line,) in rows if "alembic_version" not in line)
