-- The cards of some learners as SM-2 sees them: user_id, question, state, interval, ease in hundredths, repetitions, lapses,
-- next_review_date.
-- Cost: the learners' cards, by idx_srs_cards_due.
SELECT user_id, item_id, state, interval, (ease_factor * 100)::int, repetitions, lapses, next_review_date
FROM srs_cards
WHERE user_id = ANY(%(user_ids)s::uuid[])
  AND item_type = 'question'
