-- Writes the cards that the batch has moved; they are locked since `load_cards`. Ease factors come as whole hundredths.
-- Cost: one index probe and one new row version a card, whatever the table's size; carried by pk_srs_cards.
UPDATE srs_cards
SET state = moved.state,
    interval = moved.interval,
    ease_factor = moved.ease / 100.0,
    repetitions = moved.repetitions,
    lapses = moved.lapses,
    next_review_date = moved.next_review_date,
    is_learning = moved.state IN ('learning', 'relearning'),
    last_reviewed_at = moved.last_reviewed_at
FROM unnest(
    %(ids)s::uuid[], %(states)s::text[], %(intervals)s::integer[], %(eases)s::integer[], %(repetitions)s::integer[],
    %(lapses)s::integer[], %(next_review_dates)s::date[], %(last_reviewed_at)s::timestamptz[]
) AS moved (id, state, interval, ease, repetitions, lapses, next_review_date, last_reviewed_at)
WHERE srs_cards.id = moved.id
