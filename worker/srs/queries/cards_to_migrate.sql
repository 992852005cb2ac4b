-- Returns the cards of learners that SM-2 alone has scheduled: learner, id, item, state, interval, ease in hundredths,
-- last review. New cards are not among them: there is nothing to convert.
-- Cost: the learners' cards; uq_srs_cards_item.
SELECT user_id, id, item_id, state, interval, (ease_factor * 100)::integer, next_review_date, last_reviewed_at
FROM srs_cards
WHERE user_id = ANY (%(user_ids)s::uuid[]) AND state <> 'new' AND stability IS NULL
