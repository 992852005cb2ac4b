-- Writes the results of sittings, one row each. Cost: linear in them. Carried by pk_tryout_sessions.
UPDATE tryout_sessions AS session
SET state = 'scored', scored_at = %(now)s::timestamptz, raw_score = given.raw_score, max_score = given.max_score,
    is_passed = given.is_passed, ability = given.ability, ability_error = given.ability_error,
    percentile = given.percentile, estimated_level = given.estimated_level, result = given.result
FROM ROWS FROM (
    unnest(
        %(ids)s::uuid[], %(raw_scores)s::numeric[], %(max_scores)s::numeric[], %(are_passed)s::boolean[],
        %(abilities)s::float8[], %(ability_errors)s::float8[], %(percentiles)s::numeric[], %(levels)s::text[]
    ),
    jsonb_array_elements(%(results)s::text::jsonb)
) AS given (id, raw_score, max_score, is_passed, ability, ability_error, percentile, estimated_level, result)
WHERE session.id = given.id
