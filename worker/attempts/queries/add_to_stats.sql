-- Adds a batch to the learners' counters, whose rows exist; scores come in ten-thousandths. LEAST and GREATEST ignore
-- NULL. The first batch of a learner changes no day rule: comparing with NULL gives NULL, hence the coalesce. Mature
-- cards stop at zero, since cards may go away with their questions. A lesson that was completed was also started: true also where progress was imported without its counters.
-- Cost: linear in the learners; carried by pk_user_stats.
UPDATE user_stats AS present
SET attempts = present.attempts + added.attempts,
    correct = present.correct + added.correct,
    score_total = present.score_total + added.score_total / 10000.0,
    time_spent_ms = present.time_spent_ms + added.time_spent_ms,
    lessons_started = greatest(
        present.lessons_started + added.lessons_started, present.lessons_completed + added.lessons_completed
    ),
    lessons_completed = present.lessons_completed + added.lessons_completed,
    cards = present.cards + added.cards,
    cards_mature = greatest(present.cards_mature + added.cards_mature, 0),
    day_zone = added.day_zone,
    day_start_hour = added.day_start_hour,
    day_rule_changes = present.day_rule_changes + coalesce(
        (present.day_zone, present.day_start_hour) <> (added.day_zone, added.day_start_hour), false
    )::integer,
    first_attempted_at = least(present.first_attempted_at, added.first_attempted_at),
    last_attempted_at = greatest(present.last_attempted_at, added.last_attempted_at)
FROM unnest(
    %(user_ids)s::uuid[], %(attempts)s::integer[], %(correct)s::integer[], %(score_totals)s::bigint[],
    %(times_spent_ms)s::bigint[], %(lessons_started)s::integer[], %(lessons_completed)s::integer[],
    %(cards)s::integer[], %(cards_mature)s::integer[], %(day_zones)s::text[], %(day_start_hours)s::integer[],
    %(first_attempted_at)s::timestamptz[], %(last_attempted_at)s::timestamptz[]
) AS added (
    user_id, attempts, correct, score_total, time_spent_ms, lessons_started, lessons_completed, cards,
    cards_mature, day_zone, day_start_hour, first_attempted_at, last_attempted_at
)
WHERE present.user_id = added.user_id
