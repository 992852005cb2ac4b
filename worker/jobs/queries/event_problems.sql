-- What is wrong with entries that the app wants to enqueue: position from 1, field, problem and remedy, for those only.
-- The rule of job_outbox_problem(), and that task and job are open to the app.
-- Cost: a few look-ups in pk_job_tasks an entry.
SELECT given.position,
       CASE
           WHEN task.from_app IS NOT TRUE THEN 'task'
           WHEN job.from_app IS FALSE THEN 'payload.job'
           ELSE wrong.field
       END AS field,
       CASE
           WHEN task.from_app IS NOT TRUE THEN format('there is no task %%L that the app may enqueue', given.task)
           WHEN job.from_app IS FALSE THEN format('the app may not start the job %%L', given.payload::jsonb ->> 'job')
           ELSE wrong.problem
       END AS problem,
       CASE
           WHEN task.from_app IS NOT TRUE OR job.from_app IS FALSE THEN 'it may: ' || coalesce((
               SELECT string_agg(open.name, ', ' ORDER BY open.name)
               FROM job_tasks AS open
               WHERE open.from_app AND open.kind = CASE WHEN task.from_app THEN 'job' ELSE 'task' END
           ), 'none')
           ELSE wrong.hint
       END AS hint
FROM unnest(%(tasks)s::text[], %(payloads)s::text[]) WITH ORDINALITY AS given (task, payload, position)
CROSS JOIN LATERAL job_outbox_problem(given.task, given.payload::jsonb) AS wrong
LEFT JOIN job_tasks AS task ON task.kind = 'task' AND task.name = given.task
LEFT JOIN job_tasks AS job
    ON given.task = 'jobs.start' AND job.kind = 'job' AND job.name = given.payload::jsonb ->> 'job'
WHERE wrong.problem IS NOT NULL OR task.from_app IS NOT TRUE OR job.from_app IS FALSE
ORDER BY given.position
