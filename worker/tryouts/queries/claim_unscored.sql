-- Returns sittings that are over and not scored, at most so many, oldest first, and keeps them for this transaction:
-- another scorer takes others. Those that never began have nothing to score; sets that cannot be scored are left out.
-- Cost: linear in the limit. Carried by idx_tryout_sessions_unscored.
SELECT id, user_id, question_set_id, state
FROM tryout_sessions
WHERE state IN ('submitted', 'expired') AND started_at IS NOT NULL AND question_set_id <> ALL (%(except_sets)s::uuid[])
ORDER BY submitted_at
LIMIT %(limit)s::integer
FOR NO KEY UPDATE SKIP LOCKED
