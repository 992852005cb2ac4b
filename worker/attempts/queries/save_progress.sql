-- Writes progress rows as the batch leaves them; existing ones are locked since `load_progress`. Completion comes in
-- hundredths of a percent, the questions answered right as the text of an array. The ids are those of rows not yet there.
-- Cost: linear in the rows and their questions; carried by uq_lesson_progress_user_lesson.
INSERT INTO lesson_progress (
    id, user_id, lesson_id, attempted, correct, correct_question_ids, completion_percentage, status,
    first_attempted_at, last_attempted_at, completed_at
)
SELECT
    id, user_id, lesson_id, attempted, correct, correct_question_ids::uuid[], completion / 100.0,
    CASE WHEN completed_at IS NULL THEN 'in_progress' ELSE 'completed' END,
    first_attempted_at, last_attempted_at, completed_at
FROM unnest(
    %(ids)s::uuid[], %(user_ids)s::uuid[], %(lesson_ids)s::uuid[], %(attempted)s::integer[], %(correct)s::integer[],
    %(correct_question_ids)s::text[], %(completions)s::integer[], %(first_attempted_at)s::timestamptz[],
    %(last_attempted_at)s::timestamptz[], %(completed_at)s::timestamptz[]
) AS saved (
    id, user_id, lesson_id, attempted, correct, correct_question_ids, completion,
    first_attempted_at, last_attempted_at, completed_at
)
ON CONFLICT (user_id, lesson_id) DO UPDATE
SET attempted = excluded.attempted,
    correct = excluded.correct,
    correct_question_ids = excluded.correct_question_ids,
    completion_percentage = excluded.completion_percentage,
    status = excluded.status,
    first_attempted_at = excluded.first_attempted_at,
    last_attempted_at = excluded.last_attempted_at,
    completed_at = excluded.completed_at
