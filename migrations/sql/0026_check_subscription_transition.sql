-- Keeps subscriptions to the allowed changes of state, whatever the statement says (worker/billing/transitions.py).
CREATE FUNCTION check_subscription_transition() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
        ('trialing', 'active'), ('trialing', 'past_due'), ('trialing', 'cancelled'), ('trialing', 'expired'),
        ('active', 'past_due'), ('active', 'paused'), ('active', 'cancelled'),
        ('past_due', 'active'), ('past_due', 'cancelled'), ('past_due', 'expired'),
        ('paused', 'active'), ('paused', 'cancelled'),
        ('expired', 'active')
    ) THEN
        RAISE EXCEPTION 'a subscription that is % cannot become %', OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'tr_subscriptions_transition', TABLE = 'subscriptions';
    END IF;
    RETURN NEW;
END
$$
