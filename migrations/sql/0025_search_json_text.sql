-- The texts in a lesson's sections that people read, as one text a language; keys, ids and media are no texts.
-- A member whose name ends in `_id`, `meanings` and `translation` are Indonesian, the others are English. Sections of
-- kind `credits` are left out. A walk over whatever editors put there: some 30 µs a section.
CREATE FUNCTION search_json_text(document jsonb, OUT english text, OUT indonesian text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    WITH RECURSIVE walk (name, value) AS (
        SELECT ''::text, document
        UNION ALL
        SELECT coalesce(inner_value.key, walk.name), inner_value.value
        FROM walk
        CROSS JOIN LATERAL (
            SELECT NULL::text AS key, element.value
            FROM jsonb_array_elements(CASE jsonb_typeof(walk.value) WHEN 'array' THEN walk.value ELSE '[]' END) AS element
            UNION ALL
            SELECT member.key, member.value
            FROM jsonb_each(
                CASE
                    WHEN jsonb_typeof(walk.value) = 'object' AND walk.value ->> 'kind' IS DISTINCT FROM 'credits'
                    THEN walk.value
                    ELSE '{}'
                END
            ) AS member
        ) AS inner_value
        WHERE jsonb_typeof(walk.value) IN ('array', 'object')
    ),
    texts AS (
        SELECT name LIKE '%\_id' OR name IN ('meanings', 'translation') AS is_indonesian, value #>> '{}' AS content
        FROM walk
        WHERE jsonb_typeof(value) = 'string'
          AND name NOT IN ('id', 'key', 'kind', 'type', 'ipa', 'icon', 'image', 'audio', 'video', 'url', 'source')
    )
    SELECT coalesce(string_agg(content, ' ') FILTER (WHERE NOT is_indonesian), ''),
           coalesce(string_agg(content, ' ') FILTER (WHERE is_indonesian), '')
    FROM texts
$$
