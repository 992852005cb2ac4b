-- Adds ability estimates to scored sittings. Cost: linear in them. Carried by pk_tryout_sessions.
UPDATE tryout_sessions AS session
SET ability = given.ability, ability_error = given.ability_error, estimated_level = given.estimated_level,
    result = session.result || given.addition
FROM unnest(
    %(ids)s::uuid[], %(abilities)s::float8[], %(ability_errors)s::float8[], %(levels)s::text[],
    %(additions)s::text[]::jsonb[]
) AS given (id, ability, ability_error, estimated_level, addition)
WHERE session.id = given.id
