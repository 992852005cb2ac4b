-- Inserts graded attempts. Cost: linear; each row goes into its month's partition and its five indexes, and each id it
-- names is checked by its foreign key.
COPY question_attempts (
    id, user_id, question_id, lesson_id, tryout_session_id, answer, is_correct, score, time_spent_ms,
    attempted_at, received_at, graded_at, source
) FROM STDIN (FORMAT binary)
