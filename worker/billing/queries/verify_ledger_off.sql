-- Returns journals of the ledger whose entries do not add up to zero in a currency: at COMMIT the database refuses such.
-- Cost: linear in the ledger's entries, some ten a day and gateway. A sequential scan.
SELECT journal_id, currency, sum(amount) AS difference
FROM ledger_entries
GROUP BY journal_id, currency
HAVING sum(amount) <> 0
LIMIT %(limit)s::int
