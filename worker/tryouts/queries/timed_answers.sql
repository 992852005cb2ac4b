-- Returns the timed answers of a set's sittings scored in a span of time, one row a sitting: each answer as one text of its
-- question's id and itself, its time, and whether that is faster than one reads. Only sittings with enough of those.
-- Cost: linear in the answers of the span's sittings. Carried by idx_tryout_sessions_scored_at and pk_tryout_answers.
SELECT session.id, array_agg(answer.question_id::text || answer.answer::text), array_agg(answer.time_spent_ms),
       array_agg(fast.is_fast)
FROM tryout_sessions AS session
JOIN tryout_answers AS answer ON answer.tryout_session_id = session.id
JOIN questions AS question ON question.id = answer.question_id
CROSS JOIN LATERAL (
    SELECT answer.time_spent_ms < greatest(%(below_ms)s::integer, question.usual_time_ms * %(share_of_usual)s::float8)
        AS is_fast
) AS fast
WHERE session.question_set_id = %(set_id)s::uuid AND session.state = 'scored'
  AND session.scored_at > %(after)s::timestamptz AND session.scored_at <= %(until)s::timestamptz
  AND answer.time_spent_ms IS NOT NULL
GROUP BY session.id
HAVING count(*) FILTER (WHERE fast.is_fast) >= %(least)s::integer
