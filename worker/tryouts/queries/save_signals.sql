-- Keeps findings; one that is known gets its newest strength and evidence. Cost: linear in the findings.
-- Carried by uq_tryout_signals_finding.
INSERT INTO tryout_signals AS known (tryout_session_id, other_session_id, kind, strength, evidence, found_at)
SELECT (given ->> 'session_id')::uuid, (given ->> 'other_id')::uuid, given ->> 'kind', (given ->> 'strength')::float8,
       given -> 'evidence', %(now)s::timestamptz
FROM jsonb_array_elements(%(found)s::text::jsonb) AS given
ON CONFLICT (tryout_session_id, other_session_id, kind) DO UPDATE
SET strength = excluded.strength, evidence = excluded.evidence
