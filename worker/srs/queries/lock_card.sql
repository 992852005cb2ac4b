-- Returns one card of a learner, locked until the transaction ends; no row if the learner has no such card. It waits for a
-- batch of attempts that holds the card, and such a batch waits for it, so that neither overwrites the other.
-- Cost: one probe of pk_srs_cards.
SELECT state, interval, (ease_factor * 100)::integer AS ease, repetitions, lapses, step, next_review_date, due_at,
       introduced_at, stability, difficulty, last_reviewed_at, is_suspended, buried_until, leech_at
FROM srs_cards
WHERE id = %(card_id)s::uuid AND user_id = %(user_id)s::uuid
FOR NO KEY UPDATE
