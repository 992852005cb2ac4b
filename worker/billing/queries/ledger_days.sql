-- Returns the ledger of some days: day, gateway, account, currency, debits, credits, and the account's balance at the end
-- of that day. Accounts without movement on a day are left out. Cost: the entries up to the last day, few a day.
-- Carried by idx_ledger_entries_day.
SELECT day, gateway, account, currency, debit, credit, balance
FROM (
    SELECT
        day, gateway, account, currency,
        coalesce(sum(amount) FILTER (WHERE amount > 0), 0) AS debit,
        coalesce(-sum(amount) FILTER (WHERE amount < 0), 0) AS credit,
        sum(sum(amount)) OVER (PARTITION BY gateway, account, currency ORDER BY day) AS balance
    FROM ledger_entries
    WHERE day <= %(last)s::date AND (%(gateway)s::text IS NULL OR gateway = %(gateway)s::text)
    GROUP BY day, gateway, account, currency
) AS booked
WHERE day >= %(first)s::date
ORDER BY day, gateway, currency, account
