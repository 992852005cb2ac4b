-- The lessons that a query finds, as one row: how many, how many by level, skill, topic and status, and the ids and ranks
-- of the page after (rank, id), one more than asked for if there is more. All that a lesson shows may be found.
-- Cost: linear in the matches (idx_lessons_search), of which `most` are ranked at most.
WITH matches AS MATERIALIZED (
    SELECT id, level, skill, topic, status,
        ts_rank(search_vector, CAST(CAST(%(wanted)s AS text) AS tsquery), 1) AS rank
    FROM lessons
    WHERE search_vector @@ CAST(CAST(%(wanted)s AS text) AS tsquery)
      AND (CAST(%(levels)s AS text[]) IS NULL OR level = ANY(CAST(%(levels)s AS text[])))
      AND (CAST(%(skills)s AS text[]) IS NULL OR skill = ANY(CAST(%(skills)s AS text[])))
      AND (CAST(%(topics)s AS text[]) IS NULL OR topic = ANY(CAST(%(topics)s AS text[])))
      AND (CAST(%(statuses)s AS text[]) IS NULL OR status = ANY(CAST(%(statuses)s AS text[])))
      AND search_vector @@ CAST(CAST(%(whole)s AS text) AS tsquery)
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
