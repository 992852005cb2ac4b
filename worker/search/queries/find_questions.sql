-- The questions that a query finds, as one row: how many, how many by level, skill, type, topic and status, and the ids and
-- ranks of the page after (rank, id), one more than asked for if there is more.
-- What the index answers (`wanted`) is asked of the whole vector; everything else of what this audience may see, in which
-- learners have no explanations (weight C): neither a match, nor a rank, nor an exclusion may tell what stands in them.
-- Cost: linear in the matches (idx_questions_search), of which `most` are ranked at most.
WITH matches AS MATERIALIZED (
    SELECT id, level, skill, type, topic, status,
        ts_rank(seen, CAST(CAST(%(wanted)s AS text) AS tsquery), 1) AS rank
    FROM (
        SELECT id, level, skill, type, topic, status,
            CASE
                WHEN CAST(%(is_editor)s AS boolean) THEN search_vector
                ELSE ts_filter(search_vector, CAST('{a,b,d}' AS "char"[]))
            END AS seen
        FROM questions
        WHERE search_vector @@ CAST(CAST(%(wanted)s AS text) AS tsquery)
          AND (CAST(%(levels)s AS text[]) IS NULL OR level = ANY(CAST(%(levels)s AS text[])))
          AND (CAST(%(skills)s AS text[]) IS NULL OR skill = ANY(CAST(%(skills)s AS text[])))
          AND (CAST(%(types)s AS text[]) IS NULL OR type = ANY(CAST(%(types)s AS text[])))
          AND (CAST(%(topics)s AS text[]) IS NULL OR topic = ANY(CAST(%(topics)s AS text[])))
          AND (CAST(%(statuses)s AS text[]) IS NULL OR status = ANY(CAST(%(statuses)s AS text[])))
    ) AS candidate
    WHERE seen @@ CAST(CAST(%(whole)s AS text) AS tsquery)
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
page AS (
    SELECT id, rank
    FROM matches
    WHERE CAST(%(after_id)s AS uuid) IS NULL
       OR rank < CAST(%(after_rank)s AS real)
       OR (rank = CAST(%(after_rank)s AS real) AND id > CAST(%(after_id)s AS uuid))
    ORDER BY rank DESC, id
    LIMIT CAST(%(limit)s AS integer)
)
SELECT (SELECT count(*) FROM matches) AS total,
    (SELECT coalesce(jsonb_agg(jsonb_build_array(facet, value, matches) ORDER BY facet, matches DESC, value), '[]') FROM facets)
        AS facets,
    array(SELECT id FROM page ORDER BY rank DESC, id) AS ids,
    array(SELECT rank FROM page ORDER BY rank DESC, id) AS ranks
