-- Whether a gateway has a break that it is to be asked about. Linear in the gateway's open breaks until one fits, by
-- idx_reconciliation_breaks_open.
SELECT EXISTS (
    SELECT FROM reconciliation_breaks AS broken
    JOIN payment_transactions AS paid ON paid.id = broken.payment_transaction_id AND paid.kind = 'charge'
    WHERE
        broken.gateway = %(gateway)s::text AND broken.state = 'open' AND broken.kind IN ('status', 'missing_at_gateway')
        AND broken.opened_at > %(now)s::timestamptz - interval '30 days'
        AND coalesce((broken.details ->> 'asked_at')::timestamptz < %(now)s::timestamptz - interval '1 day', true)
)
