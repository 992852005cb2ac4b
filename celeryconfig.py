"""Celery's settings, each with the reason for its value. Read once, when a process first needs the broker.

Celery carries nudges here, never truth: a lost or repeated message costs time at most (docs/jobs.md). Where a
setting answers a fault of Celery, kombu or RedBeat, the comment says what happens without it.
"""

from kombu.entity import Queue

import tasks
from worker.jobs.beat import beat_entries
from worker.jobs.registry import load_jobs
from worker.settings import get_settings

_settings = get_settings()

# --- what runs, and when ----------------------------------------------------------------------------------------------
imports = tasks.MODULES  # the explicit list: a task exists because a line names it, not because a file was found
timezone = "UTC"  # crontabs of zones with daylight saving skip or repeat firings; local periods are ours to compute
enable_utc = True  # as above
beat_schedule = beat_entries(load_jobs(tasks.MODULES))  # from the @job declarations: nothing is declared twice
beat_scheduler = "redbeat.RedBeatScheduler"  # its lock keeps a second beat idle
beat_max_loop_interval = 5  # seconds; far below the lock's time-out, so a live beat always renews it in time
redbeat_redis_url = _settings.required_redis_url()  # explicit: the fallback to broker_url ends with RedBeat 2.5
redbeat_redis_options = {  # explicit, or the broker's options leak in; unknown keys raise
    "retry_period": 60,  # seconds a beat rides out a Redis restart before it gives up and its supervisor restarts it
    "socket_timeout": 5,  # seconds; without it a vanished host blocks beat for ever
}
redbeat_key_prefix = "elp:redbeat:"  # apart from whatever else lives in that Redis
redbeat_lock_timeout = 60  # seconds; well above the loop interval, or a slow tick loses the lock and beat exits

# --- broker -----------------------------------------------------------------------------------------------------------
broker_url = _settings.required_redis_url().replace("unix://", "redis+socket://", 1)  # kombu's name for sockets
broker_connection_retry_on_startup = True  # a worker may start before Redis does
broker_connection_max_retries = None  # and outlive any outage: never give up
broker_pool_acquire_timeout = 5  # seconds; a publisher never waits for ever for a connection
broker_transport_options = {  # kombu's Redis transport waits for ever unless told otherwise, and sweeps seldom
    "visibility_timeout": 300,  # seconds until an unacknowledged nudge returns; short is safe, leases decide who works
    "unacked_restore_interval": 5,  # with the next line: look for those each 5 s (kombu's default is each 100 s)
    "unacked_restore_throttle": 1,  # as above
    "max_retries": 0,  # connections a publisher tries anew; the default holds it up for 6 s (consumers keep trying)
    "socket_timeout": 10,  # seconds; without it a publish to a vanished host waits for ever
    "socket_connect_timeout": 5,  # seconds; the same for connecting
    "socket_keepalive": True,  # the kernel notices a peer that is gone
    "health_check_interval": 10,  # seconds; a half-open BRPOP is dropped within about 21 s instead of 51
}

# --- messages ---------------------------------------------------------------------------------------------------------
task_serializer = "json"  # readable in Flower, and no code in messages
accept_content = ["json"]  # refuse pickle, whoever sent it
task_ignore_result = True  # results are rows in PostgreSQL; no result backend, no chords
result_expires = None  # no results, so no clean-up task in beat's schedule
task_publish_retry = False  # a failed nudge is counted and left to the pulse; retrying would hold up its sender
task_create_missing_queues = False  # a misspelt queue is an error at its sender, not a queue nobody reads
task_queues = [  # direct queues, no named exchange: after FLUSHALL a publish to a named exchange vanishes silently
    Queue.from_dict(name, exchange="", routing_key=name)  # type: ignore[no-untyped-call]  # Flower can't read a dictionary
    for name in ("attempts", "default", "batch", "billing", "backups")
]
task_default_queue = "default"  # for tasks without a route
task_default_exchange = ""  # the nameless exchange delivers by queue name and needs no binding in Redis
task_default_routing_key = "default"  # as above
task_routes = {  # grading and scoring never wait behind a batch job
    "attempts.*": {"queue": "attempts"},
    "tryouts.score_waiting": {"queue": "attempts"},
}

# --- workers ----------------------------------------------------------------------------------------------------------
worker_prefetch_multiplier = 1  # a nudge waits in Redis, where any free worker may take it
worker_disable_prefetch = True  # Redis only: take a message when a process is free, not before
task_acks_late = True  # a killed worker's nudge comes back
task_reject_on_worker_lost = False  # True would loop a task that kills its worker for ever; rescue belongs to the lease
task_retry_on_worker_lost = False  # as above
task_acks_on_failure = True  # a failed task is in the ledger, with its own time to try again
task_acks_on_timeout = True  # as above
task_soft_time_limit = 840  # seconds; a backstop, each job sets its own
task_time_limit = 900  # seconds; ends what ignores the soft limit
worker_max_memory_per_child = 600_000  # KB, checked after a task; below a child's 110 MB each would run one task
worker_proc_alive_timeout = 60  # seconds; on a busy machine a child needs more than the default 4 s to come up
worker_soft_shutdown_timeout = 20.0  # seconds: a supervisor's usual grace of 30 s, less 10 to hand shards back
worker_cancel_long_running_tasks_on_connection_loss = False  # losing Redis is no reason to stop work on PostgreSQL
worker_detect_quorum_queues = False  # Redis has none: spare the look at start

# --- what people see --------------------------------------------------------------------------------------------------
worker_hijack_root_logger = False  # logs have one shape, worker.logging's
worker_redirect_stdouts = False  # as above
worker_send_task_events = True  # Flower lives from them
task_send_sent_event = False  # Flower shows a task from its receipt; an event a nudge would double the publishing
