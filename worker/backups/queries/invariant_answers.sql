-- Learners whose counters are not what their graded attempts and cards come to, as a line of text each. One pass over
-- question_attempts and srs_cards: it is for restored databases, which nobody else waits for.
SELECT format('learner %%s: %%s attempts counted, %%s there; %%s cards counted, %%s there',
              stats.user_id, stats.attempts, coalesce(graded.attempts, 0), stats.cards, coalesce(deck.cards, 0))
FROM user_stats AS stats
LEFT JOIN (SELECT user_id, count(*) AS attempts FROM question_attempts GROUP BY user_id) AS graded USING (user_id)
LEFT JOIN (SELECT user_id, count(*) AS cards FROM srs_cards GROUP BY user_id) AS deck USING (user_id)
WHERE stats.attempts <> coalesce(graded.attempts, 0) OR stats.cards <> coalesce(deck.cards, 0)
LIMIT 100
