-- Takes the cards of deleted questions out of every deck (srs_cards.item_id has no foreign key, see the model).
-- A statement that deletes many questions reads the cards once. No index carries it: questions are archived as a rule,
-- and an index on item_id would be paid by every review.
CREATE FUNCTION delete_cards_of_questions() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM srs_cards USING deleted_questions
    WHERE srs_cards.item_type = 'question' AND srs_cards.item_id = deleted_questions.id;
    RETURN NULL;
END
$$
