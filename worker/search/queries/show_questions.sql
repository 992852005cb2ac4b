-- Questions as a list of hits shows them, in the order of the ids: without answer key and explanation, the stems with what
-- was found between U+E000 and U+E001.
-- Characters that mislead the parser are exchanged for control characters meanwhile (worker/search/highlight.py).
-- Cost: linear in the ids (pk_questions); marking what was found takes most of it.
SELECT question.id, question.stem AS title, question.stem_id AS title_id, question.level, question.skill, question.type,
    question.topic, question.status,
    ts_headline(
        'english',
        translate(left(question.stem, 2000), CAST(%(typography)s AS text), CAST(%(neutral)s AS text)),
        CAST(CAST(%(whole)s AS text) AS tsquery), CAST(%(options)s AS text)
    ) AS headline,
    ts_headline(
        'indonesian',
        translate(left(question.stem_id, 2000), CAST(%(typography)s AS text), CAST(%(neutral)s AS text)),
        CAST(CAST(%(whole)s AS text) AS tsquery), CAST(%(options)s AS text)
    ) AS headline_id
FROM unnest(CAST(%(ids)s AS uuid[])) WITH ORDINALITY AS wanted (id, place)
JOIN questions AS question ON question.id = wanted.id
ORDER BY wanted.place
