-- Keeps payments to the allowed changes of state (worker/billing/transitions.py): what succeeded stays so, and what a
-- gateway is asked for (amount, key, period) never changes once it stands.
CREATE FUNCTION check_payment_transition() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
        ('intended', 'pending'), ('intended', 'unknown'), ('intended', 'succeeded'), ('intended', 'declined'),
        ('intended', 'cancelled'),
        ('pending', 'unknown'), ('pending', 'succeeded'), ('pending', 'declined'), ('pending', 'cancelled'),
        ('unknown', 'pending'), ('unknown', 'succeeded'), ('unknown', 'declined'), ('unknown', 'cancelled'),
        ('declined', 'succeeded'), ('cancelled', 'succeeded')
    ) THEN
        RAISE EXCEPTION 'a payment that is % cannot become %', OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'tr_payment_transactions_transition',
                  TABLE = 'payment_transactions';
    END IF;
    RETURN NEW;
END
$$
