-- Locks learners' counters until the transaction ends, in the order of their ids: batches of attempts wait here before they
-- touch the learners' days, so what is counted afterwards holds. Cost: linear; carried by pk_user_stats.
SELECT user_id FROM user_stats WHERE user_id = ANY (%(user_ids)s::uuid[]) ORDER BY user_id FOR NO KEY UPDATE
