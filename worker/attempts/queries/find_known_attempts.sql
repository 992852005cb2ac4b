-- Returns those of the ids that were graded (with learner and question) or rejected (without) before.
-- Cost: one index probe an id and table, whatever their size. LATERAL with LIMIT keeps it a nested loop, in which the
-- executor goes straight to the partition of each id; pk_question_attempts and pk_attempt_rejections carry it.
SELECT sent.id, graded.user_id, graded.question_id
FROM unnest(%(ids)s::uuid[]) AS sent (id)
LEFT JOIN LATERAL (
    SELECT user_id, question_id FROM question_attempts WHERE question_attempts.id = sent.id LIMIT 1
) AS graded ON true
LEFT JOIN LATERAL (
    SELECT true AS found FROM attempt_rejections WHERE attempt_rejections.id = sent.id LIMIT 1
) AS rejected ON true
WHERE graded.user_id IS NOT NULL OR rejected.found
