-- Stores fits, accepted or not; the newest accepted one of a learner is the one in use from then on. A run that is
-- repeated after a crash starts from nothing, since its shard was rolled back.
-- Cost: linear in the fits.
INSERT INTO srs_fits (user_id, parameters, is_accepted, reviews, metrics, run_id, fitted_at)
SELECT fit.user_id, array(SELECT jsonb_array_elements_text(fit.parameters)::float8), fit.is_accepted, fit.reviews,
       fit.metrics, %(run_id)s::uuid, %(now)s::timestamptz
FROM unnest(
    %(user_ids)s::uuid[], %(parameters)s::jsonb[], %(accepted)s::boolean[], %(reviews)s::integer[], %(metrics)s::jsonb[]
) AS fit (user_id, parameters, is_accepted, reviews, metrics)
