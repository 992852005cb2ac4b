-- The cards of some learners as the schedulers see them: user_id, question, state, interval, ease in hundredths,
-- repetitions, lapses, next_review_date, step, stability, difficulty, seconds from the last review to the step's end.
-- Cost: the learners' cards, by idx_srs_cards_due.
SELECT user_id, item_id, state, interval, (ease_factor * 100)::int, repetitions, lapses, next_review_date,
       step, stability, difficulty, coalesce(extract(epoch FROM due_at - last_reviewed_at), 0)::int
FROM srs_cards
WHERE user_id = ANY(%(user_ids)s::uuid[])
  AND item_type = 'question'
