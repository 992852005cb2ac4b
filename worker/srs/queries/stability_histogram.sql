-- Returns how many cards of learners fall between which of the ascending `edges` (0: below the first), by their stability
-- under FSRS and by their interval under SM-2, in days; new cards, cards without an interval, and suspended ones are left out.
-- Cost: the learners' cards; uq_srs_cards_item.
SELECT width_bucket(coalesce(card.stability, card.interval::float8), %(edges)s::float8[]) AS bin,
       count(*) FILTER (WHERE card.stability IS NOT NULL) AS by_stability,
       count(*) FILTER (WHERE card.stability IS NULL) AS by_interval
FROM srs_cards AS card
WHERE card.user_id = ANY (%(user_ids)s::uuid[])
  AND NOT card.is_suspended
  AND card.state <> 'new'
  AND (card.stability IS NOT NULL OR card.interval > 0)
GROUP BY 1
ORDER BY 1
