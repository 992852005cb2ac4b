-- Runs that say they succeeded while a shard of theirs is not done, as a line of text each. One pass over job_shards: it
-- is for restored databases, which nobody else waits for.
SELECT format('run %%s of %%s succeeded with shard %%s %%s', runs.id, runs.job, shards.number, shards.state)
FROM job_runs AS runs JOIN job_shards AS shards ON shards.run_id = runs.id
WHERE runs.state = 'succeeded' AND shards.state <> 'done'
LIMIT 100
