-- Builds the queue of each active learner with an id from `first` to `last` who has none for their local day, and returns
-- what was built: user id, local date, and the queue as JSON (worker.srs.due_queue.DueQueue).
--
-- Order: cards due (next_review_date up to the local day, not suspended, not new): learning ones first, then the most
-- overdue for their interval, then the earliest date, then the id; cut at the review limit. Then new cards, the earliest
-- date first, then the id; cut at the new limit. The id decides every tie, so the same cards give the same queue.
-- A learner without such cards gets an empty queue, so that the next 95 runs of the day need not look again.
-- A queue that exists is never touched: a second run, or a retry, inserts nothing for it.
--
-- Cost: the cards due of the learners in the range, read by idx_srs_cards_due (user_id, next_review_date); each learner's
-- are sorted on their own, in a few kB. Two thirds of the time go into fetching the cards' rows. Ways tried, ms per 2,000 learners
-- with 100 cards each, 37 of them due (10,000,000 cards, PostgreSQL 18, one core, medians of 5; the scan alone takes 87):
-- presorted for one array_agg (this one) 122; the same with one packed float as the key 126; two array_agg ORDER BY with
-- FILTER 130; one array_agg ORDER BY 143; one GROUP BY over the join 157; row_number() 178; two LIMIT subqueries for each
-- learner 183.
WITH day AS (
    SELECT *
    FROM unnest(%(timezones)s::text[], %(day_start_hours)s::smallint[], %(local_dates)s::date[])
        AS day (timezone, day_start_hour, local_date)
),
learner AS (
    SELECT users.id AS user_id,
           day.local_date,
           coalesce(preference.review_limit, %(review_limit)s) AS review_limit,
           coalesce(preference.new_limit, %(new_limit)s) AS new_limit
    FROM users
    LEFT JOIN user_preferences AS preference
        ON preference.user_id = users.id
        AND preference.user_id BETWEEN %(first)s AND %(last)s -- or the planner reads everyone's preferences
    JOIN day
        ON day.timezone = users.timezone
        AND day.day_start_hour = coalesce(preference.day_start_hour, %(day_start_hour)s)
    WHERE users.is_active
      AND users.id BETWEEN %(first)s AND %(last)s
      AND NOT EXISTS (
          SELECT FROM srs_due_queues AS queue
          WHERE queue.user_id = users.id AND queue.local_date = day.local_date
      )
),
built AS (
    INSERT INTO srs_due_queues (user_id, local_date, card_ids, learning, review, new, overdue_total, built_at, run_id)
    SELECT learner.user_id,
           learner.local_date,
           coalesce(
               deck.card_ids[:least(deck.due, learner.review_limit)]
                   || deck.card_ids[deck.due + 1:deck.due + learner.new_limit],
               '{}'
           ),
           least(deck.learning, learner.review_limit),
           least(deck.due, learner.review_limit) - least(deck.learning, learner.review_limit),
           least(deck.new, learner.new_limit),
           deck.due,
           %(now)s,
           %(run_id)s
    FROM learner
    CROSS JOIN LATERAL (
        SELECT array_agg(card.id) AS card_ids, -- in the order of the sorted rows below
               count(*) FILTER (WHERE card.part = 0)::int AS learning,
               count(*) FILTER (WHERE card.part < 2)::int AS due,
               count(*) FILTER (WHERE card.part = 2)::int AS new
        FROM (
            SELECT srs_cards.id,
                   CASE WHEN srs_cards.state = 'new' THEN 2 WHEN srs_cards.is_learning THEN 0 ELSE 1 END AS part
            FROM srs_cards
            WHERE srs_cards.user_id = learner.user_id
              AND NOT srs_cards.is_suspended
              AND srs_cards.next_review_date <= learner.local_date
            ORDER BY part,
                     CASE
                         WHEN srs_cards.state = 'new' THEN 0
                         ELSE (learner.local_date - srs_cards.next_review_date)::double precision
                              / greatest(srs_cards.interval, 1)
                     END DESC,
                     srs_cards.next_review_date,
                     srs_cards.id
        ) AS card
    ) AS deck
    ON CONFLICT (user_id, local_date) DO NOTHING
    RETURNING *
)
SELECT user_id,
       local_date,
       json_build_object(
           'user_id', user_id,
           'local_date', local_date,
           'card_ids', card_ids,
           'learning', learning,
           'review', review,
           'new', new,
           'overdue_total', overdue_total,
           'built_at', built_at
       )::text
FROM built
