-- Returns the newest scored sittings of each set, at most so many a set, of sets of one calibration: tryouts and placement
-- tests. Sittings without any answer say nothing about questions. Cost: linear in the sets' scored sittings.
-- Carried by idx_tryout_sessions_question_set.
SELECT chosen.id, chosen.question_set_id
FROM question_sets AS question_set
CROSS JOIN LATERAL (
    SELECT session.id, session.question_set_id
    FROM tryout_sessions AS session
    WHERE session.question_set_id = question_set.id AND session.state = 'scored'
      AND EXISTS (SELECT FROM tryout_answers AS answer WHERE answer.tryout_session_id = session.id)
    ORDER BY session.id DESC
    LIMIT %(most)s::integer
) AS chosen
WHERE question_set.kind IN ('tryout', 'placement')
ORDER BY chosen.question_set_id, chosen.id
