-- What is wrong with an outbox entry: the rule it breaks, the field, the problem and its remedy; all NULL when nothing is. The rule that the
-- trigger on job_outbox, and through it enqueue_job() and every plain INSERT, and the API share.
-- As long as nobody has told this database which tasks there are (job_tasks is empty), names and keys are left to the
-- relay, which parks what it does not know.
-- Cost: one or two look-ups by primary key, and the payload's keys.
CREATE OR REPLACE FUNCTION job_outbox_problem(
    task text, payload jsonb, OUT rule text, OUT field text, OUT problem text, OUT hint text
)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    known job_tasks;
    key text;
BEGIN
    IF jsonb_typeof(payload) <> 'object' THEN
        rule := 'payload';
        field := 'payload';
        problem := format('payload must be a JSON object, not %s', jsonb_typeof(payload));
        hint := 'give the task''s parameters by name: {"user_id": "..."}';
        RETURN;
    END IF;
    IF octet_length(payload::text) > 16384 THEN
        rule := 'payload_size';
        field := 'payload';
        problem := format('payload is %s bytes long, more than 16384', octet_length(payload::text));
        hint := 'send ids, not data: the task reads the rows for itself';
        RETURN;
    END IF;
    SELECT * INTO known FROM job_tasks AS one WHERE one.kind = 'task' AND one.name = task;
    IF NOT FOUND THEN
        IF EXISTS (SELECT FROM job_tasks AS one WHERE one.kind = 'task') THEN
            rule := 'known_task';
            field := 'task';
            problem := format('there is no task %L', task);
            hint := 'known tasks: '
                || (SELECT string_agg(one.name, ', ' ORDER BY one.name) FROM job_tasks AS one WHERE one.kind = 'task')
                || '; a new one is known once `elp migrate` or one of its workers has run';
        END IF;
        RETURN;
    END IF;
    SELECT given.name INTO key
    FROM jsonb_object_keys(payload) AS given (name)
    WHERE given.name <> ALL (known.accepts)
    LIMIT 1;
    IF FOUND THEN
        rule := 'parameters';
        field := 'payload.' || key;
        problem := format('task %s has no parameter %L', task, key);
        hint := 'its parameters: ' || coalesce(nullif(array_to_string(known.accepts, ', '), ''), 'none');
        RETURN;
    END IF;
    SELECT needed.name INTO key FROM unnest(known.requires) AS needed (name) WHERE NOT payload ? needed.name LIMIT 1;
    IF FOUND THEN
        rule := 'parameters';
        field := 'payload.' || key;
        problem := format('task %s needs the parameter %L', task, key);
        hint := 'its parameters: ' || array_to_string(known.accepts, ', ');
        RETURN;
    END IF;
    IF task <> 'jobs.start' THEN
        RETURN;
    END IF;
    rule := 'parameters';
    SELECT * INTO known FROM job_tasks AS one WHERE one.kind = 'job' AND one.name = payload ->> 'job';
    IF NOT FOUND THEN
        field := 'payload.job';
        problem := format('there is no job %L', payload ->> 'job');
        hint := 'known jobs: `elp jobs list`';
        RETURN;
    END IF;
    IF jsonb_typeof(payload -> 'parameters') NOT IN ('object', 'null') THEN
        field := 'payload.parameters';
        problem := 'the parameters of a job must be a JSON object';
        hint := 'give them by name: {"job": "...", "parameters": {"user_id": "..."}}';
        RETURN;
    END IF;
    IF jsonb_typeof(payload -> 'parameters') = 'object' THEN
        SELECT given.name INTO key
        FROM jsonb_object_keys(payload -> 'parameters') AS given (name)
        WHERE given.name <> ALL (known.accepts)
        LIMIT 1;
        IF FOUND THEN
            field := 'payload.parameters.' || key;
            problem := format('job %s has no parameter %L', known.name, key);
            hint := 'its parameters: ' || coalesce(nullif(array_to_string(known.accepts, ', '), ''), 'none');
            RETURN;
        END IF;
    END IF;
    rule := NULL;
END
$$
