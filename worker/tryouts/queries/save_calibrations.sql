-- Keeps what a calibration found about each question. Cost: linear in the questions. Carried by no index: it inserts.
INSERT INTO tryout_item_calibrations (
    question_id, run_id, calibrated_at, scale, responses, "right", discrimination, discrimination_error, difficulty,
    difficulty_error, infit, outfit, point_biserial, flags, is_accepted
)
SELECT (given ->> 'question_id')::uuid, %(run_id)s::uuid, %(now)s::timestamptz, given ->> 'scale',
       (given ->> 'responses')::integer, (given ->> 'right')::integer, (given ->> 'discrimination')::float8,
       (given ->> 'discrimination_error')::float8, (given ->> 'difficulty')::float8,
       (given ->> 'difficulty_error')::float8, (given ->> 'infit')::float8, (given ->> 'outfit')::float8,
       (given ->> 'point_biserial')::float8,
       ARRAY(SELECT jsonb_array_elements_text(given -> 'flags')), (given ->> 'is_accepted')::boolean
FROM jsonb_array_elements(%(found)s::text::jsonb) AS given
