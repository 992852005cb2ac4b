-- Gives cards their FSRS memory state; interval, ease and due date stay, so that the way back restores what was. A card
-- that an attempt has moved since it was read is left alone: its next review converts it.
-- Cost: one probe of pk_srs_cards and one row version a card.
UPDATE srs_cards
SET stability = memory.stability, difficulty = memory.difficulty
FROM unnest(
    %(ids)s::uuid[], %(stabilities)s::float8[], %(difficulties)s::float8[], %(reviewed_at)s::timestamptz[]
) AS memory (id, stability, difficulty, last_reviewed_at)
WHERE srs_cards.id = memory.id
  AND srs_cards.stability IS NULL
  AND srs_cards.last_reviewed_at IS NOT DISTINCT FROM memory.last_reviewed_at
