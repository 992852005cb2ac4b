-- The tsquery of what a term wants, as worker/db/search_terms.py reads it: groups, all of which must be met, of items, any of
-- which meets its group. An item is {"text", "phrase", "prefix", "also"}: a word or a phrase, read by either language, without
-- accents; a prefix stands for whatever begins so; `also` are words that are as good. No groups, or only stop words: ''.
-- Loops by number, since each query in PL/pgSQL would cost more than a word does. A statement asks for it in a subquery,
-- or it would be computed for each row.
CREATE FUNCTION search_tsquery(groups jsonb) RETURNS tsquery
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    asked tsquery := '';
    met tsquery;
    members jsonb;
    item jsonb;
    readings jsonb;
    reading text;
BEGIN
    FOR g IN 0 .. jsonb_array_length(groups) - 1 LOOP
        members := groups -> g;
        met := '';
        FOR i IN 0 .. jsonb_array_length(members) - 1 LOOP
            item := members -> i;
            readings := jsonb_build_array(item -> 'text') || coalesce(item -> 'also', '[]');
            FOR r IN 0 .. jsonb_array_length(readings) - 1 LOOP
                reading := unaccent(readings ->> r);
                IF (item -> 'phrase')::boolean THEN
                    met := met || phraseto_tsquery('english', reading) || phraseto_tsquery('indonesian', reading);
                ELSE
                    met := met || plainto_tsquery('english', reading) || plainto_tsquery('indonesian', reading);
                END IF;
            END LOOP;
            IF (item -> 'prefix')::boolean THEN
                met := met || to_tsquery('simple', (item ->> 'text') || ':*');
            END IF;
        END LOOP;
        asked := asked && met;
    END LOOP;
    RETURN asked;
END
$$
