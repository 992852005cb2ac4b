-- One learner's cards by state: how many, how many suspended, how many due on a local day (new ones never are).
-- At most four rows; grows with the learner's cards, carried by uq_srs_cards_item.
SELECT
    state,
    count(*) AS cards,
    count(*) FILTER (WHERE is_suspended) AS suspended,
    count(*) FILTER (
        WHERE NOT is_suspended AND state <> 'new' AND next_review_date <= %(today)s::date
    ) AS due
FROM srs_cards
WHERE user_id = %(user_id)s::uuid
GROUP BY state
