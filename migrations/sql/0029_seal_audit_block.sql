-- Deferred to COMMIT: closes the transaction's entries off as the chain's next block, whose digest covers the one before
-- it. Writers take turns for the commit alone, so a long transaction holds nobody up and no circle of waits can form.
-- At isolation levels above READ COMMITTED the second of two writers fails on the block's number instead.
-- The rights are the owner's: who may only insert entries may neither read them nor write a block.
CREATE FUNCTION seal_audit_block() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    last_number bigint;
    last_digest bytea;
BEGIN
    IF EXISTS (SELECT FROM audit_blocks WHERE block_id = NEW.block_id) THEN
        RETURN NULL; -- by an earlier entry of this transaction
    END IF;
    PERFORM pg_advisory_xact_lock(x'454C5006'::int, 0);
    SELECT number, digest INTO last_number, last_digest FROM audit_blocks ORDER BY number DESC LIMIT 1;
    INSERT INTO audit_blocks (number, block_id, entries, digest)
    SELECT
        coalesce(last_number, 0) + 1, NEW.block_id, count(*),
        sha256(
            coalesce(last_digest, '') || int8send(coalesce(last_number, 0) + 1) || uuid_send(NEW.block_id)
            || string_agg(digest, '' ORDER BY id)
        )
    FROM audit_log
    WHERE block_id = NEW.block_id;
    PERFORM set_config('elp.audit_block', '', true); -- entries after SET CONSTRAINTS … IMMEDIATE begin another block
    RETURN NULL;
END
$$
