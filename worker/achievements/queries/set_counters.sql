-- Sets the counters of learners, whose rows are locked, to what `recount` found; if their days are to be rebuilt, also the
-- one rule by which that is done: the newest that the pipeline used, or else the learner's.
-- Cost: linear in the learners; carried by pk_user_stats.
UPDATE user_stats AS stats
SET attempts = found.attempts,
    correct = found.correct,
    score_total = found.score_total,
    cards_mature = found.cards_mature,
    day_zone = coalesce(stats.day_zone, users.timezone),
    day_start_hour = coalesce(
        stats.day_start_hour,
        (SELECT day_start_hour FROM user_preferences WHERE user_preferences.user_id = stats.user_id),
        4
    ),
    day_rule_changes = CASE WHEN given.rebuild_days THEN 0 ELSE stats.day_rule_changes END,
    has_all_days = true
FROM unnest(%(user_ids)s::uuid[], %(rebuild_days)s::boolean[], %(recounted)s::text[])
    AS given (user_id, rebuild_days, recounted)
JOIN users ON users.id = given.user_id
CROSS JOIN LATERAL jsonb_to_record(given.recounted::jsonb)
    AS found (attempts bigint, correct bigint, score_total numeric, cards_mature integer)
WHERE stats.user_id = given.user_id
