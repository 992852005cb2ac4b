-- Takes parameters over into their questions, where they moved by more than rounding; returns how many did.
-- Cost: linear in the questions. Carried by pk_questions.
UPDATE questions AS question
SET item_discrimination = given.discrimination, item_difficulty = given.difficulty
FROM unnest(%(ids)s::uuid[], %(discriminations)s::float8[], %(difficulties)s::float8[])
    AS given (id, discrimination, difficulty)
WHERE question.id = given.id
  AND (question.item_discrimination IS NULL OR question.item_difficulty IS NULL
       OR abs(question.item_discrimination - given.discrimination) > 0.0005
       OR abs(question.item_difficulty - given.difficulty) > 0.0005)
