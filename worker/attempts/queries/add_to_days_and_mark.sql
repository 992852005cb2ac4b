-- Adds a batch to the learners' local days. A late attempt adds its day, or fills it: streaks repair themselves.
-- Each learner is marked for the evaluation of achievements: appended, so that nobody waits for anybody.
-- Cost: linear in the learners and their days, mostly one each; carried by pk_user_days.
WITH marked AS (
    INSERT INTO achievement_marks (user_id)
    SELECT DISTINCT user_id FROM unnest(%(user_ids)s::uuid[]) AS learner (user_id)
)
INSERT INTO user_days AS present (user_id, local_date, attempts, correct, early, late)
SELECT user_id, local_date, attempts, correct, early, late
FROM unnest(
    %(user_ids)s::uuid[], %(local_dates)s::date[], %(attempts)s::integer[], %(correct)s::integer[],
    %(early)s::integer[], %(late)s::integer[]
) AS added (user_id, local_date, attempts, correct, early, late)
ON CONFLICT (user_id, local_date) DO UPDATE
SET attempts = present.attempts + excluded.attempts,
    correct = present.correct + excluded.correct,
    early = present.early + excluded.early,
    late = present.late + excluded.late
