-- What some learners have to repeat by their newest due queue: user_id and the questions of its first cards, in its order.
-- Cost: the queues and cards named, by their primary keys.
SELECT learner.user_id,
       ARRAY(
           SELECT card.item_id
           FROM unnest(queue.card_ids[:%(cards)s::int]) WITH ORDINALITY AS listed (card_id, place)
           JOIN srs_cards AS card ON card.id = listed.card_id
           ORDER BY listed.place
       ) AS question_ids
FROM unnest(%(user_ids)s::uuid[]) AS learner (user_id)
CROSS JOIN LATERAL (
    SELECT card_ids
    FROM srs_due_queues
    WHERE srs_due_queues.user_id = learner.user_id
    ORDER BY local_date DESC
    LIMIT 1
) AS queue
