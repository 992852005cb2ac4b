-- Takes up to %(limit)s open breaks of a gateway about a charge of ours whose state the gateway can be asked for, the
-- longest not asked first; nobody asks again for a day. Returns what it takes to ask. Breaks that are open for longer
-- than a month are a person's alone. Linear in the gateway's open breaks, by idx_reconciliation_breaks_open.
WITH due AS (
    SELECT broken.id, broken.payment_transaction_id
    FROM reconciliation_breaks AS broken
    JOIN payment_transactions AS paid ON paid.id = broken.payment_transaction_id AND paid.kind = 'charge'
    WHERE
        broken.gateway = %(gateway)s::text AND broken.state = 'open' AND broken.kind IN ('status', 'missing_at_gateway')
        AND broken.opened_at > %(now)s::timestamptz - interval '30 days'
        AND coalesce((broken.details ->> 'asked_at')::timestamptz < %(now)s::timestamptz - interval '1 day', true)
    ORDER BY broken.details ->> 'asked_at' NULLS FIRST, broken.id
    LIMIT %(limit)s::int
    FOR UPDATE OF broken SKIP LOCKED
)
UPDATE reconciliation_breaks AS broken
SET details = broken.details || jsonb_build_object('asked_at', %(now)s::timestamptz)
FROM due
JOIN payment_transactions AS paid ON paid.id = due.payment_transaction_id
JOIN subscriptions AS subscription ON subscription.id = paid.subscription_id
WHERE broken.id = due.id
RETURNING
    broken.id, broken.kind, broken.paid_on, paid.id, paid.state, paid.idempotency_key, paid.amount, paid.currency,
    paid.requested_at, paid.gateway_reference, subscription.payment_token_encrypted
