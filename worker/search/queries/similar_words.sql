-- For each of some words: those known words that share most of its letter triples: word, known, documents. A word that is
-- known itself comes alone: what is similar to it is no correction.
-- Cost: for each word that is not known, the words that share enough triples with it (idx_search_words_similar).
SELECT asked.word, likely.word AS known, likely.documents
FROM unnest(CAST(%(words)s AS text[])) AS asked (word)
CROSS JOIN LATERAL (
    SELECT word, documents FROM search_words WHERE search_words.word = asked.word
    UNION ALL
    (
        SELECT known.word, known.documents
        FROM search_words AS known
        WHERE known.word %% asked.word
          AND NOT EXISTS (SELECT FROM search_words AS same WHERE same.word = asked.word)
        ORDER BY similarity(known.word, asked.word) DESC, known.documents DESC, known.word
        LIMIT 20
    )
) AS likely
