-- The two sides of each movement of money of a gateway from one day to another (Jakarta), debits above zero: what our
-- transactions say (charges, refunds, chargebacks against the receivable), what the gateway's lines say (fees and payouts),
-- and, against suspense, settled money that our transactions do not explain, as open and resolved breaks know it.
CREATE FUNCTION ledger_postings(of_gateway text, first_day date, last_day date)
RETURNS TABLE (day date, account text, currency text, amount numeric, source text, source_id uuid)
LANGUAGE sql STABLE AS $$
    SELECT (paid.concluded_at AT TIME ZONE 'Asia/Jakarta')::date, side.account, paid.currency::text, side.amount,
           'payment_transactions', paid.id
    FROM payment_transactions AS paid
    CROSS JOIN LATERAL (
        SELECT CASE paid.kind WHEN 'charge' THEN paid.amount ELSE -paid.amount END AS received
    ) AS flow
    CROSS JOIN LATERAL (
        VALUES
            ('receivable', flow.received),
            (CASE paid.kind WHEN 'charge' THEN 'charges' WHEN 'refund' THEN 'refunds' ELSE 'chargebacks' END,
             -flow.received)
    ) AS side (account, amount)
    WHERE paid.gateway = of_gateway AND paid.state = 'succeeded'
        AND paid.concluded_at >= first_day::timestamp AT TIME ZONE 'Asia/Jakarta'
        AND paid.concluded_at < (last_day + 1)::timestamp AT TIME ZONE 'Asia/Jakarta'
    UNION ALL
    SELECT line.settled_on, side.account, line.currency::text, side.amount, 'settlement_lines', line.id
    FROM settlement_lines AS line
    CROSS JOIN LATERAL (
        SELECT CASE WHEN line.kind IN ('fee', 'payout') THEN line.amount ELSE line.fee END AS amount
    ) AS taken
    CROSS JOIN LATERAL (
        VALUES
            (CASE line.kind WHEN 'payout' THEN 'cash' ELSE 'fees' END, taken.amount),
            ('receivable', -taken.amount)
    ) AS side (account, amount)
    WHERE line.gateway = of_gateway AND line.settled_on BETWEEN first_day AND last_day
        AND line.status = 'settled' AND line.standing <> 'superseded' AND taken.amount > 0
    UNION ALL
    SELECT line.settled_on, side.account, side.currency, side.amount, 'reconciliation_breaks', broken.id
    FROM settlement_lines AS line
    JOIN reconciliation_breaks AS broken ON broken.settlement_line_id = line.id AND broken.state <> 'healed'
    LEFT JOIN payment_transactions AS paid ON paid.id = broken.payment_transaction_id
    CROSS JOIN LATERAL (SELECT CASE line.kind WHEN 'charge' THEN 1 ELSE -1 END AS direction) AS flow
    CROSS JOIN LATERAL (
        -- What the gateway holds for us beyond what our transactions say, in each currency.
        SELECT line.currency::text AS currency, flow.direction * line.amount AS unexplained
        WHERE broken.kind IN ('missing_here', 'unknown_refund', 'unknown_chargeback', 'duplicate_charge', 'status')
            OR broken.kind = 'currency' AND paid.state = 'succeeded'
        UNION ALL
        SELECT line.currency::text, flow.direction * (line.amount - paid.amount)
        WHERE broken.kind = 'amount' AND paid.state = 'succeeded'
        UNION ALL
        SELECT paid.currency::text, -flow.direction * paid.amount
        WHERE broken.kind = 'currency' AND paid.state = 'succeeded'
    ) AS rest
    CROSS JOIN LATERAL (
        VALUES ('receivable', rest.currency, rest.unexplained), ('suspense', rest.currency, -rest.unexplained)
    ) AS side (account, currency, amount)
    WHERE line.gateway = of_gateway AND line.settled_on BETWEEN first_day AND last_day AND line.status = 'settled'
$$
