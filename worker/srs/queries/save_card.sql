-- Writes a card that `lock_card` has locked, and the row of the audit log that tells who changed what.
-- Cost: one probe of pk_srs_cards, one row version and one row more.
WITH written AS (
    UPDATE srs_cards
    SET state = %(state)s::text,
        interval = %(interval)s::integer,
        ease_factor = %(ease)s::integer / 100.0,
        repetitions = %(repetitions)s::integer,
        lapses = %(lapses)s::integer,
        step = %(step)s::smallint,
        next_review_date = %(next_review_date)s::date,
        due_at = %(due_at)s::timestamptz,
        introduced_at = %(introduced_at)s::timestamptz,
        is_learning = %(state)s::text IN ('learning', 'relearning'),
        stability = %(stability)s::float8,
        difficulty = %(difficulty)s::float8,
        last_reviewed_at = %(last_reviewed_at)s::timestamptz,
        is_suspended = %(is_suspended)s::boolean,
        buried_until = %(buried_until)s::date,
        leech_at = %(leech_at)s::timestamptz
    WHERE id = %(card_id)s::uuid
    RETURNING id
)
INSERT INTO audit_log (occurred_at, actor, action, object_type, object_id, before, after)
SELECT %(now)s::timestamptz, %(actor)s::text, %(action)s::text, 'srs_card', written.id::text, %(before)s::jsonb, %(after)s::jsonb
FROM written
