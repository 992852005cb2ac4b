-- Keeps what was booked: entries are corrected by further entries, never changed or removed.
CREATE FUNCTION refuse_ledger_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND
        (NEW.id, NEW.journal_id, NEW.gateway, NEW.day, NEW.account, NEW.currency, NEW.amount, NEW.booked_at)
        IS NOT DISTINCT FROM
        (OLD.id, OLD.journal_id, OLD.gateway, OLD.day, OLD.account, OLD.currency, OLD.amount, OLD.booked_at)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'ledger entries are never changed or removed'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'tr_ledger_entries_kept', TABLE = 'ledger_entries',
        HINT = 'book a correcting journal';
END
$$
