-- BEFORE INSERT: gives an entry its block (one a transaction) and its digest, whatever the statement says about them.
-- A block's first half is the transaction's id, so nobody can put an entry into another transaction's block; the
-- other half is drawn, since a database restored into a new cluster sees transaction ids again.
CREATE FUNCTION stamp_audit_entry() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    ours text := lpad(to_hex(pg_current_xact_id()::text::bigint), 16, '0');
    block text := current_setting('elp.audit_block', true);
BEGIN
    IF block IS NULL OR left(block, 16) <> ours THEN
        block := ours || right(replace(gen_random_uuid()::text, '-', ''), 16);
        PERFORM set_config('elp.audit_block', block, true);
    END IF;
    NEW.block_id := block::uuid;
    NEW.digest := audit_digest(NEW);
    RETURN NEW;
END
$$
