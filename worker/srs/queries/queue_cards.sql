-- Returns the cards of one learner's queue from place `after` + 1 on, at most `limit`, each as it is now with the lessons
-- that hold its item; a card deleted since comes with its id alone.
-- Cost: index look-ups a card returned: pk_srs_due_queues once, pk_srs_cards and idx_lesson_questions_question for each.
SELECT queued.number + %(after)s::integer AS place,
       queued.card_id,
       card.item_type,
       card.item_id,
       coalesce(holding.lesson_ids, '{}') AS lesson_ids,
       card.state,
       card.interval,
       card.next_review_date,
       card.last_reviewed_at,
       card.stability,
       card.is_suspended,
       card.buried_until
FROM srs_due_queues AS queue
CROSS JOIN LATERAL unnest(queue.card_ids[%(after)s::integer + 1:%(after)s::integer + %(limit)s::integer])
    WITH ORDINALITY AS queued (card_id, number)
LEFT JOIN srs_cards AS card ON card.id = queued.card_id
LEFT JOIN LATERAL (
    SELECT array_agg(link.lesson_id ORDER BY link.lesson_id) AS lesson_ids
    FROM lesson_questions AS link
    WHERE card.item_type = 'question' AND link.question_id = card.item_id
) AS holding ON true
WHERE queue.user_id = %(user_id)s::uuid AND queue.local_date = %(local_date)s::date
ORDER BY queued.number
