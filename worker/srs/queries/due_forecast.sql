-- Returns on which day how many cards of learners are due, from `today` to `last_on`, and how many of these are overdue,
-- which all count for `today` or the day they come back from burial;
-- new cards (not due on any day) come as NULL. A buried card is due on the day it comes back; suspended ones are left out.
-- Cost: the learners' cards due up to `last_on`; idx_srs_cards_due.
SELECT CASE WHEN card.state <> 'new' THEN greatest(card.next_review_date, card.buried_until, %(today)s::date) END AS due_on,
       count(*) AS due,
       count(*) FILTER (WHERE card.state <> 'new' AND card.next_review_date < %(today)s::date) AS overdue
FROM srs_cards AS card
WHERE card.user_id = ANY (%(user_ids)s::uuid[])
  AND NOT card.is_suspended
  AND card.next_review_date <= %(last_on)s::date
GROUP BY 1
ORDER BY 1
