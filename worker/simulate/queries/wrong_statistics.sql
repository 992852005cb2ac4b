-- Learners whose counters differ from a recount of their attempts, cards and progress: user_id, what they are, what they
-- should be. The instants are the effective ones: a device's clock that is more than five minutes ahead does not count.
-- Cost: one pass over all attempts and cards; the simulation alone asks.
WITH attempt AS (
    SELECT user_id,
           is_correct,
           score,
           CASE WHEN time_spent_ms <= 3600000 THEN time_spent_ms ELSE 0 END AS time_spent_ms,
           CASE WHEN attempted_at > received_at + interval '5 minutes' THEN received_at ELSE attempted_at END AS at
    FROM question_attempts
),
counted AS (
    SELECT user_id,
           count(*) AS attempts,
           count(*) FILTER (WHERE is_correct) AS correct,
           sum(score) AS score_total,
           sum(time_spent_ms) AS time_spent_ms,
           min(at) AS first_attempted_at,
           max(at) AS last_attempted_at
    FROM attempt
    GROUP BY user_id
),
should AS (
    SELECT user_id,
           format('%%s attempts, %%s right, %%s points, %%s ms, %%s cards, %%s lessons begun, %%s done, %%s to %%s',
                  attempts, correct, score_total::numeric(16, 4), time_spent_ms,
                  (SELECT count(*) FROM srs_cards WHERE srs_cards.user_id = counted.user_id),
                  (SELECT count(*) FROM lesson_progress AS p WHERE p.user_id = counted.user_id AND p.attempted > 0),
                  (SELECT count(*) FROM lesson_progress AS p
                   WHERE p.user_id = counted.user_id AND p.completed_at IS NOT NULL),
                  first_attempted_at, last_attempted_at) AS text
    FROM counted
),
has AS (
    SELECT user_id,
           format('%%s attempts, %%s right, %%s points, %%s ms, %%s cards, %%s lessons begun, %%s done, %%s to %%s',
                  attempts, correct, score_total, time_spent_ms, cards, lessons_started, lessons_completed,
                  first_attempted_at, last_attempted_at) AS text
    FROM user_stats
    WHERE attempts > 0
)
SELECT coalesce(has.user_id, should.user_id) AS user_id, has.text, should.text
FROM has
FULL JOIN should ON should.user_id = has.user_id
WHERE has.text IS DISTINCT FROM should.text
