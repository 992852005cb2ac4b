-- Adds the words of the given questions that are not known yet, so that misspelt ones find them at once.
-- Cost: linear in the texts of the ids (pk_questions), one probe of pk_search_words a word.
INSERT INTO search_words (word)
SELECT DISTINCT word
FROM questions AS question
CROSS JOIN unnest(tsvector_to_array(question_words(question))) AS word
WHERE question.id = ANY(%(ids)s::uuid[])
  AND word ~ '^[a-z]{3,30}$'
ORDER BY word
ON CONFLICT (word) DO NOTHING
