-- Lessons as a list of hits shows them, in the order of the ids: titles and descriptions with what was found between U+E000
-- and U+E001.
-- Characters that mislead the parser are exchanged for control characters meanwhile (worker/search/highlight.py).
-- Cost: linear in the ids (pk_lessons); marking what was found takes most of it.
SELECT lesson.id, lesson.title, lesson.title_id, lesson.level, lesson.skill, lesson.slug, lesson.topic, lesson.status,
    ts_headline(
        'english',
        translate(left(concat_ws(': ', lesson.title, nullif(lesson.description, '')), 2000),
            CAST(%(typography)s AS text), CAST(%(neutral)s AS text)),
        CAST(CAST(%(whole)s AS text) AS tsquery), CAST(%(options)s AS text)
    ) AS headline,
    ts_headline(
        'indonesian',
        translate(left(concat_ws(': ', lesson.title_id, nullif(lesson.description_id, '')), 2000),
            CAST(%(typography)s AS text), CAST(%(neutral)s AS text)),
        CAST(CAST(%(whole)s AS text) AS tsquery), CAST(%(options)s AS text)
    ) AS headline_id
FROM unnest(CAST(%(ids)s AS uuid[])) WITH ORDINALITY AS wanted (id, place)
JOIN lessons AS lesson ON lesson.id = wanted.id
ORDER BY wanted.place
