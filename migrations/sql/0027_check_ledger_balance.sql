-- Refuses, at COMMIT, a journal whose entries do not add up to zero in each currency.
CREATE FUNCTION check_ledger_balance() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    wrong record;
BEGIN
    SELECT currency, sum(amount) AS difference INTO wrong
    FROM ledger_entries WHERE journal_id = NEW.journal_id
    GROUP BY currency HAVING sum(amount) <> 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'journal % is off by % %', NEW.journal_id, wrong.difference, wrong.currency
            USING ERRCODE = 'check_violation', CONSTRAINT = 'tr_ledger_entries_balanced', TABLE = 'ledger_entries',
            HINT = 'debits are above zero, credits below; a journal''s entries add up to zero';
    END IF;
    RETURN NULL;
END
$$
