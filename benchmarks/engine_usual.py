"""Plain Celery, to compare with: a task that does nothing, one message each, with Celery's own defaults.

Start: `celery -A benchmarks.engine_usual worker -c 2` with ELP_REDIS_URL set.
"""

from celery import Celery

from worker.settings import get_settings

app = Celery("plain", broker=get_settings().required_redis_url())
app.conf.update(task_ignore_result=True, task_default_queue="plain", worker_hijack_root_logger=False)


@app.task(name="plain.nothing")  # type: ignore[untyped-decorator]
def nothing() -> None:
    """Do nothing."""
