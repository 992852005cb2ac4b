-- Returns what a queue of one learner for one local day says about itself, without its cards; no row if none was built.
-- Cost: one index look-up. Carried by pk_srs_due_queues.
SELECT learning, review, new, overdue_total, built_at
FROM srs_due_queues
WHERE user_id = %(user_id)s::uuid AND local_date = %(local_date)s::date
