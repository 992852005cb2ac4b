-- Writes what the code knows of one task or job, unless the database knows it already; returns nothing.
-- Cost: one look into pk_job_tasks; a row that is as it should be is not written, so workers may do this at each start.
INSERT INTO job_tasks AS known (kind, name, queue, requires, accepts, from_app)
VALUES (%(kind)s, %(name)s, %(queue)s, %(requires)s::text[], %(accepts)s::text[], %(from_app)s)
ON CONFLICT (kind, name) DO UPDATE
SET queue = excluded.queue, requires = excluded.requires, accepts = excluded.accepts, from_app = excluded.from_app
WHERE (known.queue, known.requires, known.accepts, known.from_app)
    IS DISTINCT FROM (excluded.queue, excluded.requires, excluded.accepts, excluded.from_app)
