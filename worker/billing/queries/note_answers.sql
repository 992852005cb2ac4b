-- Writes into breaks that are open what the gateway said when it was asked. Cost: linear in them. Carried by the primary
-- key.
UPDATE reconciliation_breaks AS broken
SET details = broken.details || jsonb_build_object('gateway_says', said.answer)
FROM unnest(%(ids)s::uuid[], %(answers)s::text[]) AS said (id, answer)
WHERE broken.id = said.id AND broken.state = 'open'
