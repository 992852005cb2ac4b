-- The known words that begin with a prefix, those in most documents first.
-- Cost: the words that begin so (pk_search_words, whose collation is C).
SELECT word
FROM search_words
WHERE word >= CAST(%(prefix)s AS text) AND word < CAST(%(beyond)s AS text)
ORDER BY documents DESC, word
LIMIT CAST(%(limit)s AS integer)
