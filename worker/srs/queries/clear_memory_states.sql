-- Takes the FSRS memory state from cards: SM-2 goes on with their interval and ease. Cards in review count as passed twice
-- at least (worker.srs.conversion.to_sm2), so that SM-2 multiplies their interval.
-- Cost: the learners' cards; uq_srs_cards_item.
UPDATE srs_cards
SET stability = NULL,
    difficulty = NULL,
    step = 0,
    due_at = NULL,
    repetitions = CASE WHEN state = 'review' AND interval > 1 THEN greatest(repetitions, 2) ELSE repetitions END
WHERE user_id = ANY (%(user_ids)s::uuid[]) AND stability IS NOT NULL
