-- Writes answers and returns the questions whose stored answer is now the one given; the others have a later one, or the
-- very same. Later is the higher sequence, then the later answered_at. In the order of their keys, so that two requests
-- for the same answers wait for each other instead of ending in a deadlock. `answers` is a JSON list of objects.
-- Cost: linear in the answers. Carried by pk_tryout_answers.
INSERT INTO tryout_answers AS present (tryout_session_id, question_id, answer, sequence, answered_at, time_spent_ms)
SELECT %(id)s::uuid, given.question_id, coalesce(given.answer, 'null'), given.sequence, given.answered_at,
       given.time_spent_ms
FROM jsonb_to_recordset(%(answers)s::jsonb) AS given (
    question_id uuid, answer jsonb, sequence integer, answered_at timestamptz, time_spent_ms integer
)
ORDER BY given.question_id
ON CONFLICT (tryout_session_id, question_id) DO UPDATE
SET answer = excluded.answer, sequence = excluded.sequence, answered_at = excluded.answered_at,
    time_spent_ms = excluded.time_spent_ms
WHERE (excluded.sequence, excluded.answered_at) > (present.sequence, present.answered_at)
RETURNING question_id
