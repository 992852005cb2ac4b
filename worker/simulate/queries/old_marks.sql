-- Learners who are marked for evaluation though nothing that marks was done since `since`: user_id.
-- Cost: the marks, and a probe of idx_question_attempts_user and idx_tryout_sessions_user each; the simulation alone asks.
SELECT DISTINCT mark.user_id
FROM achievement_marks AS mark
WHERE NOT EXISTS (
    SELECT FROM question_attempts AS attempt
    WHERE attempt.user_id = mark.user_id AND attempt.graded_at > %(since)s
)
  AND NOT EXISTS (
    SELECT FROM tryout_sessions AS session
    WHERE session.user_id = mark.user_id AND session.scored_at > %(since)s
)
