-- Returns the cards of learners, with what was done with each since the learner's day began: learner, whether it was
-- reviewed and is not due any more, whether it was introduced, id, state, interval, due day, stability, whether suspended.
-- Cost: the learners' cards; uq_srs_cards_item.
SELECT
    card.user_id,
    coalesce(
        card.last_reviewed_at >= day.starts_at
            AND card.next_review_date > (day.starts_at AT TIME ZONE learner.timezone)::date
            AND (card.introduced_at IS NULL OR card.introduced_at < day.starts_at),
        false
    ),
    coalesce(card.introduced_at >= day.starts_at, false),
    card.id,
    card.state,
    card.interval,
    card.next_review_date,
    card.stability,
    card.is_suspended
FROM unnest(%(user_ids)s::uuid[], %(starts_at)s::timestamptz[]) AS day (user_id, starts_at)
JOIN users AS learner ON learner.id = day.user_id
JOIN srs_cards AS card ON card.user_id = day.user_id
