-- Returns the cards of pairs of learner and question, locked until the batch is committed: others (suspending, importing)
-- wait instead of overwriting. Ease factors come as whole hundredths, waits for a step in seconds.
-- Cost: one index probe a pair, whatever the table's size; carried by uq_srs_cards_item.
SELECT card.*
FROM unnest(%(user_ids)s::uuid[], %(item_ids)s::uuid[]) AS pair (user_id, item_id)
CROSS JOIN LATERAL (
    SELECT
        id, user_id, item_id, state, interval, (ease_factor * 100)::integer, repetitions, lapses,
        next_review_date, step, stability, difficulty,
        coalesce(extract(epoch FROM due_at - last_reviewed_at), 0)::integer, last_reviewed_at
    FROM srs_cards
    WHERE srs_cards.user_id = pair.user_id AND srs_cards.item_type = 'question' AND srs_cards.item_id = pair.item_id
    FOR NO KEY UPDATE
) AS card
