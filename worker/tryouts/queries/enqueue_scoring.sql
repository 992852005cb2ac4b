-- Asks for a scorer in the transaction of a submission; it runs after that commits. Of the submissions whose ids end alike
-- one entry waits at a time: with one for all, each commit would wait for the one before it.
-- Cost: one insert. Carried by uq_job_outbox_dedupe_key.
SELECT enqueue_job(
    'tryouts.score_waiting', '{}', 'tryouts.score_waiting:' || right(%(id)s::uuid::text, 1),
    NULL
)
