-- Asks for the due queues of learners to be built again, through the outbox: an entry for each thousand learners, since
-- a statement may change many. Only those who had a queue at all: the others' is still to come.
-- No dedupe key: an entry that waits may be sent, and its task read the old wishes, before this transaction commits.
CREATE FUNCTION srs_rebuild_due_queues(learners uuid[]) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO job_outbox (task, payload)
    SELECT 'srs.rebuild_due_queues', jsonb_build_object('user_ids', jsonb_agg(served.user_id))
    FROM (
        SELECT changed.user_id, (row_number() OVER () - 1) / 1000 AS part
        FROM unnest(learners) AS changed (user_id)
        WHERE EXISTS (SELECT FROM srs_due_queues AS queue WHERE queue.user_id = changed.user_id)
    ) AS served
    GROUP BY served.part;
END
