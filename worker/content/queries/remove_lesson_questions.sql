-- Takes the questions out of the given lessons that are not in them any more, and returns nothing. The pairs that stay come
-- as two arrays of equal length.
-- Cost: the rows of those lessons, by pk_lesson_questions, against a hash of the pairs.
DELETE FROM lesson_questions
WHERE lesson_id = ANY (%(lesson_ids)s::uuid[])
  AND NOT EXISTS (
    SELECT
    FROM unnest(%(kept_lesson_ids)s::uuid[], %(kept_question_ids)s::uuid[]) AS kept (lesson_id, question_id)
    WHERE kept.lesson_id = lesson_questions.lesson_id
      AND kept.question_id = lesson_questions.question_id
  )
