-- Writes the outcomes of payments whose outcome is not known yet, and returns the ids of those it changed: a repetition
-- finds them concluded and changes nothing. A payment that was given up may turn out to have succeeded, unless another
-- one has paid its period. Linear in their number, by the primary key.
UPDATE payment_transactions t
SET state = new.state,
    gateway_reference = coalesce(new.reference, t.gateway_reference),
    decline_kind = CASE WHEN new.state = 'declined' THEN new.decline_kind END,
    decline_code = CASE WHEN new.state = 'declined' THEN new.decline_code END,
    error = new.error,
    look_again_at = new.look_again_at,
    concluded_at = CASE WHEN new.state IN ('succeeded', 'declined', 'cancelled') THEN %(now)s::timestamptz END
FROM unnest(%(ids)s::uuid[], %(states)s::text[], %(references)s::text[], %(decline_kinds)s::text[],
            %(decline_codes)s::text[], %(errors)s::text[], %(look_agains)s::timestamptz[])
     AS new (id, state, reference, decline_kind, decline_code, error, look_again_at)
WHERE t.id = new.id
  AND (t.state IN ('intended', 'pending', 'unknown')
       OR t.state IN ('declined', 'cancelled') AND new.state = 'succeeded' AND NOT EXISTS (
           SELECT FROM payment_transactions p
           WHERE p.subscription_id = t.subscription_id AND p.period_start = t.period_start
             AND p.kind = 'charge' AND p.state = 'succeeded'))
RETURNING t.id
