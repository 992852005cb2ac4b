-- Returns the progress of pairs of learner and lesson, locked until the batch is committed.
-- Cost: one index probe a pair, whatever the table's size; carried by uq_lesson_progress_user_lesson.
SELECT progress.*
FROM unnest(%(user_ids)s::uuid[], %(lesson_ids)s::uuid[]) AS pair (user_id, lesson_id)
CROSS JOIN LATERAL (
    SELECT
        user_id, lesson_id, attempted, correct, correct_question_ids, first_attempted_at, last_attempted_at, completed_at
    FROM lesson_progress
    WHERE lesson_progress.user_id = pair.user_id AND lesson_progress.lesson_id = pair.lesson_id
    FOR NO KEY UPDATE
) AS progress
