-- Adds a batch to the learners' counters, whose rows exist; scores come in ten-thousandths. LEAST and GREATEST ignore
-- NULL. A lesson that was completed was also started: true also where progress was imported without its counters.
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
    first_attempted_at = least(present.first_attempted_at, added.first_attempted_at),
    last_attempted_at = greatest(present.last_attempted_at, added.last_attempted_at)
FROM unnest(
    %(user_ids)s::uuid[], %(attempts)s::integer[], %(correct)s::integer[], %(score_totals)s::bigint[],
    %(times_spent_ms)s::bigint[], %(lessons_started)s::integer[], %(lessons_completed)s::integer[],
    %(cards)s::integer[], %(first_attempted_at)s::timestamptz[], %(last_attempted_at)s::timestamptz[]
) AS added (
    user_id, attempts, correct, score_total, time_spent_ms, lessons_started, lessons_completed, cards,
    first_attempted_at, last_attempted_at
)
WHERE present.user_id = added.user_id
