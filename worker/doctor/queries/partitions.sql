-- Whether the partition of question_attempts for the month after `now` exists, and whether the default one holds rows that a
-- month's should: next_exists, default_has_rows.
-- Cost: two looks into the catalogue, and one row of the default partition at most.
SELECT to_regclass('question_attempts_' || to_char(%(now)s::timestamptz + interval '1 month', 'YYYY_MM')) IS NOT NULL
           AS next_exists,
       EXISTS (SELECT FROM question_attempts_default) AS default_has_rows
