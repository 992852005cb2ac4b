-- Books what a gateway's days come to by now beyond what is booked for them, a journal a day and currency, and returns the
-- entries: day, account, currency, amount. A first booking books it all, a day that changed since the difference, an
-- unchanged one nothing. Cost: the days' transactions, lines and breaks, aggregated once. Carried by
-- idx_payment_transactions_concluded, idx_settlement_lines_settled, idx_reconciliation_breaks_line,
-- idx_ledger_entries_day.
WITH difference AS (
    SELECT day, account, currency, sum(amount) AS amount
    FROM (
        SELECT day, account, currency, amount
        FROM ledger_postings(%(gateway)s::text, %(first)s::date, %(last)s::date)
        UNION ALL
        SELECT day, account, currency::text, -amount
        FROM ledger_entries
        WHERE gateway = %(gateway)s::text AND day BETWEEN %(first)s::date AND %(last)s::date
    ) AS posting
    GROUP BY day, account, currency
    HAVING sum(amount) <> 0
), journal AS MATERIALIZED (
    SELECT day, currency, uuidv7() AS id FROM (SELECT DISTINCT day, currency FROM difference) AS changed
)
INSERT INTO ledger_entries (journal_id, gateway, day, account, currency, amount, booked_at)
SELECT journal.id, %(gateway)s::text, day, account, currency, amount, %(now)s::timestamptz
FROM difference JOIN journal USING (day, currency)
ORDER BY day, currency, account
RETURNING day, account, currency, amount
