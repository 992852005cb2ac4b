-- Learners' lessons whose progress differs from a recount of the attempts made in them: user_id, lesson_id, what it is,
-- what it should be. An attempt counts in a lesson that holds its question.
-- Cost: one pass over all attempts; the simulation alone asks.
WITH counted AS (
    SELECT attempt.user_id,
           attempt.lesson_id,
           count(*) AS attempted,
           count(*) FILTER (WHERE attempt.is_correct) AS correct,
           count(DISTINCT attempt.question_id) FILTER (WHERE attempt.is_correct) AS answered
    FROM question_attempts AS attempt
    JOIN lesson_questions AS member
        ON member.lesson_id = attempt.lesson_id AND member.question_id = attempt.question_id
    GROUP BY attempt.user_id, attempt.lesson_id
),
should AS (
    SELECT user_id,
           lesson_id,
           format('%%s attempts, %%s right, %%s questions, %%s %%%%', attempted, correct, answered,
                  round(answered * 100.0 / (SELECT count(*) FROM lesson_questions AS member
                                            WHERE member.lesson_id = counted.lesson_id), 2)) AS text
    FROM counted
),
has AS (
    SELECT user_id,
           lesson_id,
           format('%%s attempts, %%s right, %%s questions, %%s %%%%', attempted, correct,
                  cardinality(correct_question_ids), completion_percentage) AS text
    FROM lesson_progress
)
SELECT coalesce(has.user_id, should.user_id) AS user_id,
       coalesce(has.lesson_id, should.lesson_id) AS lesson_id,
       has.text,
       should.text
FROM has
FULL JOIN should ON should.user_id = has.user_id AND should.lesson_id = has.lesson_id
WHERE has.text IS DISTINCT FROM should.text
