-- Returns, for each score that some sets' sittings have, the percentage of their sittings at or below it.
-- Cost: linear in the distinct scores of the sets. Carried by pk_tryout_cohort_scores.
SELECT question_set_id, raw_score,
       round(100.0 * sum(sittings) OVER (PARTITION BY question_set_id ORDER BY raw_score)
             / nullif(sum(sittings) OVER (PARTITION BY question_set_id), 0), 2)
FROM tryout_cohort_scores
WHERE question_set_id = ANY (%(ids)s::uuid[])
