-- Records a report that is being imported, its counts to follow; inserts nothing if a report of this digest is there (the
-- same file imported at the same time is waited for). Cost: one row. Carried by uq_settlement_imports_digest.
INSERT INTO settlement_imports (id, gateway, source, digest, name, lines, added, imported_by, imported_at)
VALUES (
    %(id)s::uuid, %(gateway)s::text, %(source)s::text, %(digest)s::text, %(name)s::text, 0, 0, %(actor)s::text,
    %(now)s::timestamptz
)
ON CONFLICT (gateway, digest) DO NOTHING
