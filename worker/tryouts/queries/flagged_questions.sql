-- Returns the questions whose newest calibration found something an editor should look at, gravest first.
-- Cost: linear in the calibrations. Carried by idx_tryout_item_calibrations_question.
SELECT newest.question_id, left(question.stem, 80) AS stem, newest.flags, newest.responses, newest."right",
       newest.discrimination, newest.difficulty, newest.infit, newest.outfit, newest.point_biserial,
       newest.calibrated_at
FROM (
    SELECT DISTINCT ON (question_id) * FROM tryout_item_calibrations ORDER BY question_id, calibrated_at DESC, id DESC
) AS newest
JOIN questions AS question ON question.id = newest.question_id
WHERE newest.flags <> '{}'
ORDER BY newest.discrimination, newest.question_id
LIMIT %(limit)s::integer
