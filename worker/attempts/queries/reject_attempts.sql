-- Records attempts that could not be graded; an id that was rejected before keeps its first reason.
-- Cost: linear in the rows; carried by pk_attempt_rejections.
INSERT INTO attempt_rejections (
    id, user_id, question_id, reason, detail, payload, attempted_at, received_at, rejected_at
)
SELECT id, user_id, question_id, reason, detail, payload::json, attempted_at, received_at, %(rejected_at)s::timestamptz
FROM unnest(
    %(ids)s::uuid[], %(user_ids)s::uuid[], %(question_ids)s::uuid[], %(reasons)s::text[], %(details)s::text[],
    %(payloads)s::text[], %(attempted_at)s::timestamptz[], %(received_at)s::timestamptz[]
) AS rejected (id, user_id, question_id, reason, detail, payload, attempted_at, received_at)
ON CONFLICT (id) DO NOTHING
