-- Writes the cards that the batch has moved; they are locked since `load_cards`. Ease factors come as whole hundredths.
-- What the batch did not say stays: when a card was introduced, and whether and since when it is a leech.
-- Cost: one index probe and one new row version a card, whatever the table's size; carried by pk_srs_cards.
UPDATE srs_cards
SET state = moved.state,
    interval = moved.interval,
    ease_factor = moved.ease / 100.0,
    repetitions = moved.repetitions,
    lapses = moved.lapses,
    next_review_date = moved.next_review_date,
    is_learning = moved.state IN ('learning', 'relearning'),
    is_suspended = srs_cards.is_suspended OR moved.leech_at IS NOT NULL,
    step = moved.step,
    stability = moved.stability,
    difficulty = moved.difficulty,
    due_at = moved.due_at,
    introduced_at = coalesce(moved.introduced_at, srs_cards.introduced_at),
    leech_at = coalesce(moved.leech_at, srs_cards.leech_at),
    last_reviewed_at = moved.last_reviewed_at
FROM unnest(
    %(ids)s::uuid[], %(states)s::text[], %(intervals)s::integer[], %(eases)s::integer[], %(repetitions)s::integer[],
    %(lapses)s::integer[], %(next_review_dates)s::date[], %(steps)s::integer[], %(stabilities)s::float8[],
    %(difficulties)s::float8[], %(due_at)s::timestamptz[], %(introduced_at)s::timestamptz[],
    %(leech_at)s::timestamptz[], %(last_reviewed_at)s::timestamptz[]
) AS moved (
    id, state, interval, ease, repetitions, lapses, next_review_date, step, stability, difficulty, due_at,
    introduced_at, leech_at, last_reviewed_at
)
WHERE srs_cards.id = moved.id
