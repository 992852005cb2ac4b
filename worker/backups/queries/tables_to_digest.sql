-- The tables whose content is compared after a restore: ordinary tables and partitions of the schema public that are
-- logged, with their sizes in blocks. One look into the catalogue; a stat call a table.
SELECT format('%%I.%%I', nspname, relname) AS name,
       pg_relation_size(pg_class.oid) / current_setting('block_size')::int AS blocks
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname = 'public' AND relkind = 'r' AND relpersistence = 'p'
ORDER BY 1
