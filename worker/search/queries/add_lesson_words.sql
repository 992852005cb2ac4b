-- Adds the words of the given lessons that are not known yet, so that misspelt ones find them at once.
-- Cost: linear in the texts of the ids (pk_lessons), one probe of pk_search_words a word.
INSERT INTO search_words (word)
SELECT DISTINCT word
FROM lessons AS lesson
CROSS JOIN unnest(tsvector_to_array(lesson_words(lesson))) AS word
WHERE lesson.id = ANY(%(ids)s::uuid[])
  AND word ~ '^[a-z]{3,30}$'
ORDER BY word
ON CONFLICT (word) DO NOTHING
