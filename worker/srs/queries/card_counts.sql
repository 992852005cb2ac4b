-- Returns how many cards of learners stand where: by state, `young` and `mature` (an interval of three weeks or more) for
-- those in review; suspended ones are counted apart and under no state. Buried cards and leeches are counted besides. One row,
-- of zeros without cards.
-- Cost: the learners' cards; uq_srs_cards_item.
SELECT count(*) AS total,
       count(*) FILTER (WHERE NOT is_suspended AND state = 'new') AS new,
       count(*) FILTER (WHERE NOT is_suspended AND state = 'learning') AS learning,
       count(*) FILTER (WHERE NOT is_suspended AND state = 'relearning') AS relearning,
       count(*) FILTER (WHERE NOT is_suspended AND state = 'review' AND interval < 21) AS young,
       count(*) FILTER (WHERE NOT is_suspended AND state = 'review' AND interval >= 21) AS mature,
       count(*) FILTER (WHERE is_suspended) AS suspended,
       count(*) FILTER (WHERE NOT is_suspended AND buried_until > %(today)s::date) AS buried,
       count(*) FILTER (WHERE leech_at IS NOT NULL) AS leeches,
       count(*) FILTER (
           WHERE NOT is_suspended
             AND state <> 'new'
             AND next_review_date <= %(today)s::date
             AND coalesce(buried_until <= %(today)s::date, true)
       ) AS due
FROM srs_cards
WHERE user_id = ANY (%(user_ids)s::uuid[])
