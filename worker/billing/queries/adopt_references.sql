-- Gives transactions that have no gateway's reference the one of their settlement line; one that is another
-- transaction's by now is left alone. Cost: linear in them. Carried by the primary key and
-- uq_payment_transactions_gateway_reference.
UPDATE payment_transactions AS paid SET gateway_reference = found.reference
FROM unnest(%(ids)s::uuid[], %(references)s::text[]) AS found (id, reference)
WHERE
    paid.id = found.id AND paid.gateway_reference IS NULL
    AND NOT EXISTS (
        SELECT FROM payment_transactions AS other
        WHERE other.gateway = paid.gateway AND other.gateway_reference = found.reference
    )
