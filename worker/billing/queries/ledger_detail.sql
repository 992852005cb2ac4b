-- Returns the movements behind a gateway's ledger of some days: day, account, currency, amount (debits above zero), and the
-- row they come from. Cost: linear in the days' transactions, lines and breaks. Carried by
-- idx_payment_transactions_concluded, idx_settlement_lines_settled, idx_reconciliation_breaks_line.
SELECT day, account, currency, amount, source, source_id
FROM ledger_postings(%(gateway)s::text, %(first)s::date, %(last)s::date)
ORDER BY day, source, source_id, account
