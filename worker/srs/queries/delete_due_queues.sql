-- Removes the queues of learners from their local day on, so that it can be built again, and returns whose, and for which
-- day. A later day's queue exists where the learner has travelled west since it was built.
-- Cost: the learners' queues of the days named; pk_srs_due_queues.
DELETE FROM srs_due_queues AS queue
USING users AS learner
LEFT JOIN user_preferences AS preference ON preference.user_id = learner.id
JOIN unnest(%(timezones)s::text[], %(day_start_hours)s::smallint[], %(local_dates)s::date[])
    AS day (timezone, day_start_hour, local_date)
    ON true
WHERE learner.id = ANY (%(user_ids)s::uuid[])
  AND day.timezone = learner.timezone
  AND day.day_start_hour = coalesce(preference.day_start_hour, %(day_start_hour)s)
  AND queue.user_id = learner.id
  AND queue.local_date >= day.local_date
RETURNING queue.user_id, queue.local_date
