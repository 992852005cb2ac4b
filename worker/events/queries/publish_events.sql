-- Publishes events; one whose dedupe key is known already is left out. The row count tells how many were new.
-- A transaction that publishes the same key at the same time waits for the other's end, so exactly one of them counts.
-- Cost: linear in the events; four indexes and a foreign key each. Carried by uq_app_events_dedupe_key.
INSERT INTO app_events (id, kind, user_id, payload, dedupe_key, created_at)
SELECT id, kind, user_id, payload::jsonb, dedupe_key, %(now)s::timestamptz
FROM unnest(
    %(ids)s::uuid[], %(kinds)s::text[], %(user_ids)s::uuid[], %(payloads)s::text[], %(dedupe_keys)s::text[]
) AS published (id, kind, user_id, payload, dedupe_key)
ON CONFLICT (dedupe_key) WHERE dedupe_key IS NOT NULL DO NOTHING
