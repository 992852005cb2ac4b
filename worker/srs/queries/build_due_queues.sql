-- Builds the queue of each active learner with an id from `first` to `last` (and among `user_ids`, unless that is NULL)
-- who has none for their local day, and returns what was built: user id, local date, and the queue as JSON
-- (worker.srs.due_queue.DueQueue). The rules are those of worker.srs.queue_policy; docs/queues.md explains them.
-- A queue that exists is never touched: a second run, or a retry, inserts nothing for it. A learner without cards gets an
-- empty queue, so that the next 95 runs of the day need not look again.
--
-- Two ways, told apart for each learner, so that a rule costs only those who use it:
-- plain: one sort, learning cards first, then by overdueness, then new ones; cut at the limits.
-- policy: for learners with another order, with siblings, or with more overdue cards than the day's share: the same cards
--   once more, with window functions. On vacation neither: the queue is empty.
-- What was reviewed since the day began is counted only for learners who have studied since then.
--
-- Cost: the cards due of the learners in the range, read from idx_srs_cards_due (user_id, next_review_date) alone, which
-- includes all that the plain way asks for: ask for one column more, and every card's row is fetched, which took three
-- quarters of the time. Pages changed since the last vacuum are fetched even so. Each learner's cards are sorted on their
-- own, in a few kB. The JSON is put together as text: json_build_object takes twice as long on ids.
-- Plain ways tried when rows still were fetched, ms per 2,000 learners with 100 cards each, 37 of them due (10,000,000
-- cards, PostgreSQL 18, one core, medians of 5; the scan alone takes 87): presorted for one array_agg (this one) 122; the
-- same with one packed float as the key 126; two array_agg ORDER BY with FILTER 130; one array_agg ORDER BY 143; one GROUP
-- BY over the join 157; row_number() 178; two LIMIT subqueries for each learner 183.
WITH day AS (
    SELECT *
    FROM unnest(
        %(timezones)s::text[], %(day_start_hours)s::smallint[], %(local_dates)s::date[], %(starts_at)s::timestamptz[]
    ) AS day (timezone, day_start_hour, local_date, starts_at)
),
learner AS (
    SELECT users.id AS user_id,
           day.local_date,
           day.starts_at,
           coalesce(preference.review_limit, %(review_limit)s) AS review_limit,
           coalesce(preference.new_limit, %(new_limit)s) AS new_limit,
           coalesce(preference.daily_goal, %(daily_goal)s) AS daily_goal,
           coalesce(preference.backlog_days, %(backlog_days)s) AS backlog_days,
           preference.review_order,
           preference.new_order,
           coalesce(preference.bury_siblings, 'none') AS siblings,
           coalesce(day.local_date BETWEEN preference.vacation_from AND preference.vacation_until, false) AS is_away,
           coalesce(
               preference.review_order <> 'overdueness'
                   OR preference.new_order <> 'last'
                   OR preference.bury_siblings <> 'none',
               false
           ) AS has_wishes,
           coalesce(stats.last_attempted_at >= day.starts_at, false) AS has_studied
    FROM users
    LEFT JOIN user_preferences AS preference
        ON preference.user_id = users.id
        AND preference.user_id BETWEEN %(first)s AND %(last)s -- or the planner reads everyone's preferences
    LEFT JOIN user_stats AS stats
        ON stats.user_id = users.id
        AND stats.user_id BETWEEN %(first)s AND %(last)s
    JOIN day
        ON day.timezone = users.timezone
        AND day.day_start_hour = coalesce(preference.day_start_hour, %(day_start_hour)s)
    WHERE users.is_active
      AND users.id BETWEEN %(first)s AND %(last)s
      AND (%(user_ids)s::uuid[] IS NULL OR users.id = ANY (%(user_ids)s))
      AND NOT EXISTS (
          SELECT FROM srs_due_queues AS queue
          WHERE queue.user_id = users.id AND queue.local_date = day.local_date
      )
)
INSERT INTO srs_due_queues (user_id, local_date, card_ids, learning, review, new, overdue_total, built_at, run_id)
SELECT learner.user_id,
       learner.local_date,
       CASE
           WHEN way.by_policy THEN policy.card_ids
           ELSE coalesce(
               deck.card_ids[:least(deck.due, way.review_places)]
                   || deck.card_ids[deck.due + 1:deck.due + way.new_places],
               '{}'
           )
       END,
       CASE WHEN way.by_policy THEN policy.learning ELSE least(deck.learning, way.review_places) END,
       CASE
           WHEN way.by_policy THEN policy.review
           ELSE least(deck.due, way.review_places) - least(deck.learning, way.review_places)
       END,
       CASE WHEN way.by_policy THEN policy.new ELSE least(deck.new, way.new_places) END,
       CASE WHEN way.by_policy THEN policy.due ELSE deck.due END,
       %(now)s,
       %(run_id)s
FROM learner
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE card.introduced_at >= learner.starts_at)::int AS introduced,
           count(*) FILTER (
               WHERE card.next_review_date > learner.local_date
                 AND (card.introduced_at IS NULL OR card.introduced_at < learner.starts_at)
           )::int AS reviewed,
           coalesce(
               array_remove(
                   array_agg(
                       CASE
                           WHEN learner.siblings <> 'none' THEN srs_card_family(card.item_id, learner.siblings)
                       END
                   ) FILTER (
                       WHERE card.is_suspended
                          OR card.next_review_date > learner.local_date
                          OR card.buried_until > learner.local_date
                   ),
                   NULL
               ),
               '{}'
           ) AS families
    FROM srs_cards AS card
    WHERE learner.has_studied
      AND card.user_id = learner.user_id
      AND card.last_reviewed_at >= learner.starts_at
) AS done
CROSS JOIN LATERAL (
    SELECT array_agg(card.id) AS card_ids, -- in the order of the sorted rows below
           count(*) FILTER (WHERE card.part = 0)::int AS learning,
           count(*) FILTER (WHERE card.part < 2)::int AS due,
           count(*) FILTER (WHERE card.part = 2)::int AS new,
           count(*) FILTER (WHERE card.part = 1 AND card.overdueness > 0)::int AS overdue
    FROM (
        SELECT srs_cards.id,
               CASE WHEN srs_cards.state = 'new' THEN 2 WHEN srs_cards.is_learning THEN 0 ELSE 1 END AS part,
               CASE
                   WHEN srs_cards.state = 'new' THEN 0
                   ELSE (learner.local_date - srs_cards.next_review_date)::double precision
                        / greatest(srs_cards.interval, 1)
               END AS overdueness
        FROM srs_cards
        WHERE NOT learner.is_away
          AND NOT learner.has_wishes
          AND srs_cards.user_id = learner.user_id
          AND NOT srs_cards.is_suspended
          AND srs_cards.next_review_date <= learner.local_date
          AND (srs_cards.buried_until IS NULL OR srs_cards.buried_until <= learner.local_date)
        ORDER BY part, overdueness DESC, srs_cards.next_review_date, srs_cards.id
    ) AS card
) AS deck
CROSS JOIN LATERAL (
    SELECT greatest(learner.review_limit - done.reviewed, 0) AS review_places,
           greatest(learner.new_limit - done.introduced, 0) AS new_places,
           NOT learner.is_away AND (
               learner.has_wishes
               OR deck.overdue > greatest(
                   ceil(deck.overdue::numeric / learner.backlog_days), least(deck.overdue, learner.daily_goal)
               )
           ) AS by_policy
) AS way
CROSS JOIN LATERAL (
    WITH card AS (
        SELECT srs_cards.id,
               srs_cards.next_review_date,
               CASE WHEN srs_cards.state = 'new' THEN 2 WHEN srs_cards.is_learning THEN 0 ELSE 1 END AS part,
               (learner.local_date - srs_cards.next_review_date)::double precision
                   / greatest(srs_cards.interval, 1) AS overdueness,
               (learner.local_date - srs_cards.next_review_date + srs_cards.interval)::double precision
                   / coalesce(srs_cards.stability, greatest(srs_cards.interval, 1)) AS age,
               CASE
                   WHEN learner.siblings <> 'none' THEN srs_card_family(srs_cards.item_id, learner.siblings)
               END AS family
        FROM srs_cards
        WHERE way.by_policy
          AND srs_cards.user_id = learner.user_id
          AND NOT srs_cards.is_suspended
          AND srs_cards.next_review_date <= learner.local_date
          AND (srs_cards.buried_until IS NULL OR srs_cards.buried_until <= learner.local_date)
    ),
    counted AS (
        SELECT card.*,
               count(*) FILTER (WHERE card.part = 0) OVER () AS learning,
               count(*) FILTER (WHERE card.part = 1) OVER () AS reviews,
               count(*) FILTER (WHERE card.part = 1 AND card.overdueness > 0) OVER () AS overdue
        FROM card
    ),
    shared AS ( -- how many reviews may come today: queue_policy.reviews_of_the_day
        SELECT counted.*,
               counted.reviews - counted.overdue
                   + greatest(
                       ceil(counted.overdue::numeric / learner.backlog_days),
                       least(counted.overdue, learner.daily_goal)
                   ) AS share
        FROM counted
    ),
    ranked AS ( -- the lowest rank comes first
        SELECT shared.*,
               CASE
                   WHEN shared.part = 2 THEN 0
                   WHEN shared.part = 0 THEN -shared.overdueness
                   WHEN shared.share < shared.reviews THEN shared.age
                   WHEN learner.review_order = 'highest_retrievability' THEN shared.age
                   WHEN learner.review_order = 'lowest_retrievability' THEN -shared.age
                   ELSE -shared.overdueness
               END AS rank
        FROM shared
    ),
    kept AS (
        SELECT ranked.*,
               ranked.part = 0
                   OR ranked.family IS NULL
                   OR (
                       ranked.family <> ALL (done.families)
                       AND row_number() OVER (
                           PARTITION BY ranked.family
                           ORDER BY ranked.part, ranked.rank, ranked.next_review_date, ranked.id
                       ) = 1
                   ) AS is_kept
        FROM ranked
    ),
    placed AS ( -- places from 1 within each part
        SELECT kept.*,
               row_number() OVER (
                   PARTITION BY kept.part, kept.is_kept ORDER BY kept.rank, kept.next_review_date, kept.id
               ) AS place
        FROM kept
    ),
    cut AS (
        SELECT placed.*,
               placed.is_kept AND placed.place <= CASE placed.part
                   WHEN 0 THEN way.review_places
                   WHEN 1 THEN least(
                       way.review_places - least(placed.learning, way.review_places), placed.share
                   )
                   ELSE way.new_places
               END AS is_asked
        FROM placed
    ),
    asked AS (
        SELECT cut.*,
               count(*) FILTER (WHERE cut.is_asked AND cut.part = 1) OVER () AS asked_reviews,
               count(*) FILTER (WHERE cut.is_asked AND cut.part = 2) OVER () AS asked_new
        FROM cut
    )
    SELECT coalesce(
               array_agg(
                   asked.id
                   ORDER BY asked.part > 0,
                            CASE
                                WHEN asked.part = 0 OR learner.new_order IS DISTINCT FROM 'mixed' THEN asked.part
                                WHEN asked.part = 1 THEN asked.place * (asked.asked_new + 1)
                                ELSE asked.place * (asked.asked_reviews + 1)
                            END,
                            asked.part,
                            asked.place
               ) FILTER (WHERE asked.is_asked),
               '{}'
           ) AS card_ids,
           count(*) FILTER (WHERE asked.is_asked AND asked.part = 0)::int AS learning,
           count(*) FILTER (WHERE asked.is_asked AND asked.part = 1)::int AS review,
           count(*) FILTER (WHERE asked.is_asked AND asked.part = 2)::int AS new,
           count(*) FILTER (WHERE asked.part < 2)::int AS due
    FROM asked
) AS policy
ON CONFLICT (user_id, local_date) DO NOTHING
RETURNING
    user_id,
    local_date,
    format(
        '{"user_id":"%%s","local_date":"%%s","card_ids":[%%s],"learning":%%s,"review":%%s,"new":%%s,'
            || '"overdue_total":%%s,"built_at":%%s}',
        user_id,
        to_char(local_date, 'YYYY-MM-DD'),
        '"' || array_to_string(nullif(card_ids, '{}'), '","') || '"', -- NULL, of which format makes '', without cards
        learning,
        review,
        new,
        overdue_total,
        to_json(built_at)
    )
