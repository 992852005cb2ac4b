-- Adds sittings to (or takes them from) the counts of scores of their sets. Run under the lock of the sets: nobody else
-- writes the same counts. An INSERT … ON CONFLICT would check the row it proposes, and one below 0 is refused.
-- Cost: linear in the distinct scores given. Carried by pk_tryout_cohort_scores.
WITH given AS (
    SELECT * FROM unnest(%(sets)s::uuid[], %(scores)s::numeric[], %(sittings)s::integer[])
        AS given (question_set_id, raw_score, sittings)
), known AS (
    UPDATE tryout_cohort_scores AS present SET sittings = present.sittings + given.sittings
    FROM given
    WHERE present.question_set_id = given.question_set_id AND present.raw_score = given.raw_score
    RETURNING present.question_set_id, present.raw_score
)
INSERT INTO tryout_cohort_scores (question_set_id, raw_score, sittings)
SELECT question_set_id, raw_score, sittings FROM given
WHERE NOT EXISTS (SELECT FROM known WHERE known.question_set_id = given.question_set_id
                  AND known.raw_score = given.raw_score)
