-- Sums what a gateway settled of a day's payments (Jakarta), by kind and currency: lines, amount, fees.
-- Cost: linear in the day's lines. Carried by idx_settlement_lines_day.
SELECT kind, currency, count(*), sum(amount), sum(fee)
FROM settlement_lines
WHERE
    gateway = %(gateway)s::text AND occurred_on = %(day)s::date AND status = 'settled' AND standing <> 'superseded'
    AND kind IN ('charge', 'refund', 'chargeback')
GROUP BY kind, currency
ORDER BY kind, currency
