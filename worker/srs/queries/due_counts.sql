-- Returns how many cards some learners have on each day after `after` that they have any: learner, day, cards. Suspended
-- ones are left out.
-- Cost: the learners' index entries after that day, no rows of the table where it is vacuumed; idx_srs_cards_due.
SELECT user_id, next_review_date, count(*)::integer
FROM srs_cards
WHERE user_id = ANY (%(user_ids)s::uuid[]) AND NOT is_suspended AND next_review_date > %(after)s::date
GROUP BY user_id, next_review_date
