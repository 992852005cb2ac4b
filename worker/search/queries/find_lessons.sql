-- The lessons that a query finds: a row a hit of the page after (rank, id), one more than asked for if there is more, with
-- how many match in all; in the first row also how many by level, skill, topic and status. Titles and descriptions with what
-- was found between U+E000 and U+E001, characters that mislead the parser exchanged for control characters
-- (worker/search/highlight.py). No match, or none after that place: no row. All that a lesson shows may be found.
-- Cost: linear in the matches (idx_lessons_search), of which `most` are ranked at most, and in the hits shown.
WITH asked AS MATERIALIZED (
    SELECT wanted, wanted && !! excluded AS whole
    FROM (
        SELECT search_tsquery(CAST(%(wanted)s AS jsonb)) AS wanted, search_tsquery(CAST(%(excluded)s AS jsonb)) AS excluded
        OFFSET 0
    ) AS read
),
matches AS MATERIALIZED (
    SELECT id, level, skill, topic, status,
        ts_rank(search_vector, (SELECT wanted FROM asked), 1) AS rank
    FROM lessons
    WHERE search_vector @@ (SELECT wanted FROM asked)
      AND (CAST(%(levels)s AS text[]) IS NULL OR level = ANY(CAST(%(levels)s AS text[])))
      AND (CAST(%(skills)s AS text[]) IS NULL OR skill = ANY(CAST(%(skills)s AS text[])))
      AND (CAST(%(topics)s AS text[]) IS NULL OR topic = ANY(CAST(%(topics)s AS text[])))
      AND (CAST(%(statuses)s AS text[]) IS NULL OR status = ANY(CAST(%(statuses)s AS text[])))
      AND search_vector @@ (SELECT whole FROM asked)
    LIMIT CAST(%(most)s AS integer)
),
facets AS (
    SELECT
        CASE
            WHEN grouping(level) = 0 THEN 'level'
            WHEN grouping(skill) = 0 THEN 'skill'
            WHEN grouping(topic) = 0 THEN 'topic'
            ELSE 'status'
        END AS facet,
        coalesce(level, skill, topic, status) AS value,
        count(*) AS matches
    FROM matches
    GROUP BY GROUPING SETS (level, skill, topic, status)
),
page AS MATERIALIZED (
    SELECT id, rank, row_number() OVER (ORDER BY rank DESC, id) AS place
    FROM matches
    WHERE CAST(%(after_id)s AS uuid) IS NULL
       OR rank < CAST(%(after_rank)s AS real)
       OR (rank = CAST(%(after_rank)s AS real) AND id > CAST(%(after_id)s AS uuid))
    ORDER BY rank DESC, id
    LIMIT CAST(%(limit)s AS integer)
),
totals AS MATERIALIZED (
    SELECT (SELECT count(*) FROM matches) AS total,
        (SELECT jsonb_agg(jsonb_build_array(facet, value, matches) ORDER BY facet, matches DESC, value) FROM facets) AS facets
)
SELECT totals.total, CASE WHEN page.place = 1 THEN totals.facets END AS facets, page.rank,
    lesson.id, lesson.title, lesson.title_id, lesson.level, lesson.skill, lesson.slug, lesson.topic, lesson.status,
    ts_headline(
        'english',
        translate(left(concat_ws(': ', lesson.title, nullif(lesson.description, '')), 2000),
            CAST(%(typography)s AS text), CAST(%(neutral)s AS text)),
        (SELECT whole FROM asked), CAST(%(options)s AS text)
    ) AS headline,
    ts_headline(
        'indonesian',
        translate(left(concat_ws(': ', lesson.title_id, nullif(lesson.description_id, '')), 2000),
            CAST(%(typography)s AS text), CAST(%(neutral)s AS text)),
        (SELECT whole FROM asked), CAST(%(options)s AS text)
    ) AS headline_id
FROM totals
CROSS JOIN page
JOIN lessons AS lesson ON lesson.id = page.id
ORDER BY page.place
