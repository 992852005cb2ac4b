-- Returns sittings scored in a span of time with improbably many right answers given faster than one reads: how many
-- of the timed right answers were that fast. Cost: linear in the answers of the span's sittings.
-- Carried by idx_tryout_sessions_scored_at and pk_tryout_answers.
SELECT session.id, count(*) AS timed, count(*) FILTER (WHERE fast.is_fast) AS fast,
       (percentile_cont(0.5) WITHIN GROUP (ORDER BY answer.time_spent_ms))::integer AS median_ms
FROM tryout_sessions AS session
JOIN tryout_answers AS answer ON answer.tryout_session_id = session.id
JOIN questions AS question ON question.id = answer.question_id
CROSS JOIN LATERAL (
    SELECT answer.time_spent_ms < greatest(%(below_ms)s::integer, question.usual_time_ms * %(share_of_usual)s::float8)
        AS is_fast
) AS fast
WHERE session.state = 'scored' AND session.scored_at > %(after)s::timestamptz
  AND session.scored_at <= %(until)s::timestamptz
  AND answer.score = 1 AND answer.time_spent_ms IS NOT NULL
GROUP BY session.id
HAVING count(*) FILTER (WHERE fast.is_fast) >= %(least)s::integer
   AND count(*) FILTER (WHERE fast.is_fast) >= %(share)s::float8 * count(*)
