-- Returns the lessons that exist, with their questions in order.
-- The key lock is the one the foreign keys would take. Cost: linear in the ids and in the lessons' questions.
-- Carried by pk_lessons and uq_lesson_questions_position.
SELECT
    lessons.id,
    ARRAY(
        SELECT question_id FROM lesson_questions
        WHERE lesson_questions.lesson_id = lessons.id
        ORDER BY lesson_questions.position
    )
FROM lessons
WHERE lessons.id = ANY (%(ids)s::uuid[])
FOR KEY SHARE OF lessons
