-- Every worker's newest heartbeat, by name, in the fields of `Heartbeat`.
-- Cost: a row a worker; those of workers long gone are pruned by `forget.sql`, so there are never many.
SELECT worker, pid, version, queues, concurrency, is_consuming, metrics_address, started_at, seen_at
FROM worker_heartbeats
ORDER BY worker
