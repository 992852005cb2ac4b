-- What an entry of the audit log says, as 32 bytes: SHA-256 over its keys, its instants (µs since 1970) and the SHA-256
-- of each of its texts, 32 zero bytes for NULL. Every part has one length, so no two entries read alike.
-- worker/audit/chain.py computes the same without asking the database.
CREATE FUNCTION audit_digest(entry audit_log) RETURNS bytea
LANGUAGE sql STABLE AS $$
    SELECT sha256(
        uuid_send(entry.id) || uuid_send(entry.block_id)
        || int8send((extract(epoch FROM entry.occurred_at) * 1000000)::bigint)
        || int8send((extract(epoch FROM entry.created_at) * 1000000)::bigint)
        || string_agg(
            coalesce(sha256(convert_to(part.value, 'UTF8')), decode(repeat('00', 32), 'hex')), '' ORDER BY part.place
        )
    )
    FROM unnest(ARRAY[
        entry.actor, entry.action, entry.object_type, entry.object_id, entry.before::text, entry.after::text
    ]) WITH ORDINALITY AS part (value, place)
$$
