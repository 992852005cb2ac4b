-- What is left of a charge that succeeded, its currency, and how many refunds it has; the charge is held, so that two
-- refunds at once don't give back more than it was. By the primary key and idx_payment_transactions_parent.
SELECT c.amount - (SELECT coalesce(sum(r.amount), 0) FROM payment_transactions r
                   WHERE r.parent_id = c.id AND r.state NOT IN ('declined', 'cancelled')),
       c.currency,
       (SELECT count(*) FROM payment_transactions r WHERE r.parent_id = c.id)
FROM payment_transactions c
WHERE c.id = %(id)s::uuid AND c.kind = 'charge' AND c.state = 'succeeded'
FOR NO KEY UPDATE OF c
