-- Inserts cards: of questions attempted for the first time, and of the other questions of lessons just started. Fails if
-- another transaction has created one of them since the cards were read: the batch is then done again.
-- The ids are made by the worker: the column's default, uuidv7(), costs as much as the rest of the row.
-- Cost: linear; three indexes and one foreign key a row.
COPY srs_cards (
    id, user_id, item_id, state, interval, ease_factor, repetitions, lapses, next_review_date, is_learning, is_suspended,
    step, stability, difficulty, due_at, introduced_at, leech_at, last_reviewed_at
) FROM STDIN (FORMAT binary)
