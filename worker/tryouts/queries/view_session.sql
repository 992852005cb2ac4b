-- Returns a sitting with the texts of its set, its learner's language and its place in the cohort as of now: how many
-- scored sittings the cohort has and the share at or below this one's score. Cost: two key look-ups and the distinct
-- scores of the set (some hundred). Carried by pk_tryout_sessions and pk_tryout_cohort_scores.
SELECT session.id, session.user_id, session.question_set_id, session.state, session.started_at, session.deadline_at,
       session.submitted_at, session.is_late, session.scored_at, session.raw_score, session.max_score, session.is_passed,
       session.ability, session.ability_error, session.estimated_level, session.result::text AS result,
       question_set.title, question_set.title_id, preferences.ui_language, cohort.sittings AS cohort,
       CASE WHEN session.state = 'scored'
            THEN round(100.0 * cohort.at_or_below / nullif(cohort.sittings, 0), 2) END AS percentile
FROM tryout_sessions AS session
JOIN question_sets AS question_set ON question_set.id = session.question_set_id
LEFT JOIN user_preferences AS preferences ON preferences.user_id = session.user_id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(score.sittings), 0)::bigint AS sittings,
           coalesce(sum(score.sittings) FILTER (WHERE score.raw_score <= session.raw_score), 0)::bigint AS at_or_below
    FROM tryout_cohort_scores AS score
    WHERE score.question_set_id = session.question_set_id
) AS cohort
WHERE session.id = %(id)s::uuid
