-- Counts the words of all lessons and questions anew, adds those that are new, and removes those that are in none any more;
-- returns how many words there are.
-- Cost: reads every text once, some 60 µs each (ts_stat).
WITH counted AS MATERIALIZED (
    SELECT word, sum(ndoc)::integer AS documents
    FROM (
        SELECT word, ndoc FROM ts_stat('SELECT question_words(questions) FROM questions')
        UNION ALL
        SELECT word, ndoc FROM ts_stat('SELECT lesson_words(lessons) FROM lessons')
    ) AS found
    WHERE word ~ '^[a-z]{3,30}$'
    GROUP BY word
),
gone AS (
    DELETE FROM search_words AS known
    WHERE NOT EXISTS (SELECT FROM counted WHERE counted.word = known.word)
),
written AS (
    INSERT INTO search_words AS known (word, documents)
    SELECT word, documents FROM counted ORDER BY word
    ON CONFLICT (word) DO UPDATE SET documents = excluded.documents WHERE known.documents <> excluded.documents
)
SELECT count(*) FROM counted
