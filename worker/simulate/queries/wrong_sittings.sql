-- Sittings of a plain form of multiple-choice questions that were over before `over_before` and are not scored; and of
-- those scored in (since, until] the ones whose score differs from their right answers, or that have not exactly one event:
-- id, state, score, right answers, events.
-- Cost: all sittings, their answers and the feed; the simulation alone asks.
SELECT session.id, session.state, session.raw_score, given.points, told.events
FROM tryout_sessions AS session
CROSS JOIN LATERAL (
    SELECT count(*) AS points
    FROM tryout_answers AS answer
    JOIN questions AS question ON question.id = answer.question_id
    WHERE answer.tryout_session_id = session.id
      AND answer.answer -> 'choice' = question.answer_key -> 'correct'
) AS given
CROSS JOIN LATERAL (
    SELECT count(*) AS events
    FROM app_events AS event
    WHERE event.kind = 'tryout.scored' AND event.payload ->> 'tryout_session_id' = session.id::text
) AS told
WHERE (session.state <> 'scored' AND session.started_at IS NOT NULL
       AND coalesce(session.submitted_at, session.deadline_at) < %(over_before)s)
   OR (session.scored_at > %(since)s AND session.scored_at <= %(until)s
       AND (session.raw_score <> given.points OR told.events <> 1))
