-- The form of every search vector: texts in English by the english, in Indonesian by the indonesian configuration, both
-- without accents. Weights: A title or stem, B topic and place, C explanation or description, D sections or options.
-- Whoever changes it, or the two functions that use it, raises search_vector_version() in the same migration: then
-- every vector is computed anew.
CREATE FUNCTION search_vector_of(
    a_english text, a_indonesian text, b text, c_english text, c_indonesian text, d_english text, d_indonesian text
) RETURNS tsvector
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT setweight(to_tsvector('english', unaccent(coalesce(a_english, ''))), 'A')
        || setweight(to_tsvector('indonesian', unaccent(coalesce(a_indonesian, ''))), 'A')
        || setweight(to_tsvector('english', unaccent(coalesce(b, ''))), 'B')
        || setweight(to_tsvector('indonesian', unaccent(coalesce(b, ''))), 'B')
        || setweight(to_tsvector('english', unaccent(coalesce(c_english, ''))), 'C')
        || setweight(to_tsvector('indonesian', unaccent(coalesce(c_indonesian, ''))), 'C')
        || setweight(to_tsvector('english', unaccent(coalesce(d_english, ''))), 'D')
        || setweight(to_tsvector('indonesian', unaccent(coalesce(d_indonesian, ''))), 'D')
$$
