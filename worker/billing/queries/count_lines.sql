-- Counts the movements that a gateway settled of a day's payments (Jakarta).
-- Cost: linear in the day's lines. Carried by idx_settlement_lines_day.
SELECT count(*)
FROM settlement_lines
WHERE
    gateway = %(gateway)s::text AND occurred_on = %(day)s::date AND status = 'settled' AND standing <> 'superseded'
    AND kind IN ('charge', 'refund', 'chargeback')
