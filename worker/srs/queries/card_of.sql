-- Returns one card of a learner without locking it; no row if the learner has no such card.
-- Cost: one probe of pk_srs_cards.
SELECT id AS card_id, item_type, item_id, state, interval, (ease_factor * 100)::integer AS ease, repetitions, lapses, step,
       next_review_date, stability, difficulty, last_reviewed_at, is_suspended, buried_until
FROM srs_cards
WHERE id = %(card_id)s::uuid AND user_id = %(user_id)s::uuid
