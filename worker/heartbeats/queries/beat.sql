-- Writes a worker's heartbeat; returns nothing.
-- Cost: one row by primary key, updated in place (no index holds what changes).
INSERT INTO worker_heartbeats
    (worker, pid, version, queues, concurrency, is_consuming, metrics_address, started_at, seen_at)
VALUES
    (%(worker)s, %(pid)s, %(version)s, %(queues)s, %(concurrency)s, %(is_consuming)s, %(metrics_address)s,
     %(started_at)s, %(now)s)
ON CONFLICT (worker) DO UPDATE
SET pid = excluded.pid,
    version = excluded.version,
    queues = excluded.queues,
    concurrency = excluded.concurrency,
    is_consuming = excluded.is_consuming,
    metrics_address = excluded.metrics_address,
    started_at = excluded.started_at,
    seen_at = excluded.seen_at
