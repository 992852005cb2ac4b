-- Deletes the oldest events from before an instant, at most as many as are asked for; an id carries its event's instant.
-- Cost: linear in the events deleted. Carried by pk_app_events.
DELETE FROM app_events
WHERE id IN (
    SELECT id FROM app_events WHERE id < uuidv7_floor(%(before)s::timestamptz) ORDER BY id LIMIT %(limit)s::integer
)
