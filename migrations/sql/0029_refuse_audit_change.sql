-- What was recorded stays: refuses UPDATE, DELETE and TRUNCATE, to the owner, too.
CREATE FUNCTION refuse_audit_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'check_violation', CONSTRAINT = 'tr_' || TG_TABLE_NAME || '_append_only', TABLE = TG_TABLE_NAME,
            HINT = 'record a new entry that corrects the old one';
END
$$
