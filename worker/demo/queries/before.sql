-- What the demonstration's learners already have, one row: reviewed cards, attempts in lessons, attempts in statistics.
-- Grows with their cards; carried by uq_srs_cards_item, uq_lesson_progress_lesson and the primary key of user_stats.
SELECT
    (SELECT count(*) FROM srs_cards WHERE user_id = ANY(%(learners)s::uuid[]) AND state <> 'new'),
    (SELECT coalesce(sum(attempted), 0) FROM lesson_progress WHERE user_id = ANY(%(learners)s::uuid[])),
    (SELECT coalesce(sum(attempts), 0) FROM user_stats WHERE user_id = ANY(%(learners)s::uuid[]))
