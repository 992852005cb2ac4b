-- The questions that a query finds: a row a hit of the page after (rank, id), one more than asked for if there is more, with
-- how many match in all; in the first row also how many by level, skill, type, topic and status. Without answer key and
-- explanation; the stems with what was found between U+E000 and U+E001, characters that mislead the parser exchanged for
-- control characters (worker/search/highlight.py). No match, or none after that place: no row.
-- What the index answers (`wanted`) is asked of the whole vector; everything else of what this audience may see, in which
-- learners have no explanations (weight C): neither a match, nor a rank, nor an exclusion may tell what stands in them.
-- Cost: linear in the matches (idx_questions_search), of which `most` are ranked at most, and in the hits shown.
WITH asked AS MATERIALIZED (
    SELECT wanted, wanted && !! excluded AS whole
    FROM (
        SELECT search_tsquery(CAST(%(wanted)s AS jsonb)) AS wanted, search_tsquery(CAST(%(excluded)s AS jsonb)) AS excluded
        OFFSET 0
    ) AS read
),
matches AS MATERIALIZED (
    SELECT id, level, skill, type, topic, status,
        ts_rank(seen, (SELECT wanted FROM asked), 1) AS rank
    FROM (
        SELECT id, level, skill, type, topic, status,
            CASE
                WHEN CAST(%(is_editor)s AS boolean) THEN search_vector
                ELSE ts_filter(search_vector, CAST('{a,b,d}' AS "char"[]))
            END AS seen
        FROM (
            -- Apart from the filters: an index of theirs, used besides, would cost more than the rows that it spares.
            SELECT * FROM questions WHERE search_vector @@ (SELECT wanted FROM asked) OFFSET 0
        ) AS indexed
        WHERE (CAST(%(levels)s AS text[]) IS NULL OR level = ANY(CAST(%(levels)s AS text[])))
          AND (CAST(%(skills)s AS text[]) IS NULL OR skill = ANY(CAST(%(skills)s AS text[])))
          AND (CAST(%(types)s AS text[]) IS NULL OR type = ANY(CAST(%(types)s AS text[])))
          AND (CAST(%(topics)s AS text[]) IS NULL OR topic = ANY(CAST(%(topics)s AS text[])))
          AND (CAST(%(statuses)s AS text[]) IS NULL OR status = ANY(CAST(%(statuses)s AS text[])))
    ) AS candidate
    WHERE seen @@ (SELECT whole FROM asked)
    LIMIT CAST(%(most)s AS integer)
),
facets AS (
    SELECT
        CASE
            WHEN grouping(level) = 0 THEN 'level'
            WHEN grouping(skill) = 0 THEN 'skill'
            WHEN grouping(type) = 0 THEN 'type'
            WHEN grouping(topic) = 0 THEN 'topic'
            ELSE 'status'
        END AS facet,
        coalesce(level, skill, type, topic, status) AS value,
        count(*) AS matches
    FROM matches
    GROUP BY GROUPING SETS (level, skill, type, topic, status)
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
    question.id, question.stem AS title, question.stem_id AS title_id, question.level, question.skill, question.type,
    question.topic, question.status,
    ts_headline(
        'english',
        translate(left(question.stem, 2000), CAST(%(typography)s AS text), CAST(%(neutral)s AS text)),
        (SELECT whole FROM asked), CAST(%(options)s AS text)
    ) AS headline,
    ts_headline(
        'indonesian',
        translate(left(question.stem_id, 2000), CAST(%(typography)s AS text), CAST(%(neutral)s AS text)),
        (SELECT whole FROM asked), CAST(%(options)s AS text)
    ) AS headline_id
FROM totals
CROSS JOIN page
JOIN questions AS question ON question.id = page.id
ORDER BY page.place
