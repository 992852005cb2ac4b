-- Asks for a scorer in the transaction of a submission: one entry waits at a time, however many submit. A submission that
-- commits just after that entry was relayed is found by the API's own nudge, or by the job `tryouts.score`.
-- Cost: one insert. Carried by uq_job_outbox_dedupe_key.
INSERT INTO job_outbox (task, payload, dedupe_key) VALUES ('tryouts.score_waiting', '{}', 'tryouts.score_waiting')
ON CONFLICT (dedupe_key) WHERE relayed_at IS NULL DO NOTHING
