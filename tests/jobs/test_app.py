"""The Celery application: its settings are ones that Celery knows, its tasks log who they are and fail alone."""

import types
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from celery import signals
from celery.app.defaults import DEFAULTS
from celery.schedules import crontab

import tasks
from worker.app import DuplicateTaskError, TaskOutOfMemoryError, app, task
from worker.jobs.beat import beat_entries
from worker.jobs.registry import load_jobs


@pytest.fixture
def config(redis_url: str) -> types.ModuleType:
    import celeryconfig  # noqa: PLC0415 - reads the settings

    return celeryconfig


@pytest.fixture
def registered() -> Iterator[list[str]]:
    names: list[str] = []
    yield names
    for name in names:
        app.tasks.pop(name, None)


def test_every_setting_is_one_that_celery_or_redbeat_knows(config: types.ModuleType) -> None:
    ours = {
        name
        for name, value in vars(config).items()
        if not name.startswith("_") and not callable(value) and not isinstance(value, types.ModuleType)
    }
    assert {name for name in ours if name not in DEFAULTS and not name.startswith("redbeat_")} == set()
    assert len(ours) > 40


def test_rescue_belongs_to_the_lease_and_not_to_the_broker(config: types.ModuleType) -> None:
    assert app.conf.task_acks_late
    assert not app.conf.task_reject_on_worker_lost
    assert app.conf.task_ignore_result
    assert app.conf.result_backend is None


def test_queues_need_no_exchange_in_redis(config: types.ModuleType) -> None:
    assert {name: queue.exchange.name for name, queue in app.amqp.queues.items()} == dict.fromkeys(
        ("attempts", "default", "batch", "billing", "backups"), ""
    )


def test_every_jobs_queue_exists(config: types.ModuleType) -> None:
    assert {job.queue for job in load_jobs(tasks.MODULES)} <= set(config.task_queues)


def test_modules_that_declare_tasks_are_all_imported_and_nothing_else() -> None:
    files = {f"tasks.{path.stem}" for path in Path(tasks.__file__).parent.glob("*.py") if path.stem != "__init__"}
    assert set(tasks.MODULES) == files


def test_beats_entries_fire_in_utc_at_least_whenever_the_job_does() -> None:
    load_jobs(tasks.MODULES)
    for entry in beat_entries(load_jobs(tasks.MODULES)).values():
        assert isinstance(entry["schedule"], crontab)
        assert entry["options"]["queue"] == "default"


def test_local_time_of_day_becomes_each_utc_time_it_has_in_a_year(declare) -> None:
    entries = beat_entries([declare("test.nightly", schedule="30 2 * * *", timezone="America/New_York")])
    schedule = entries["test.nightly"]["schedule"]
    assert (schedule.hour, schedule.minute) == ({6, 7}, {30})


def test_lines_of_a_task_name_it_and_the_next_ones_do_not() -> None:
    structlog.contextvars.clear_contextvars()
    noted = types.new_class("Noted")
    noted.name = "attempts.drain"
    signals.task_prerun.send(sender=noted, task_id="1", task=noted)
    assert structlog.contextvars.get_contextvars() == {"task": "attempts.drain", "task_id": "1"}
    signals.task_postrun.send(sender=noted, task_id="1", task=noted)
    assert structlog.contextvars.get_contextvars() == {}


def test_task_without_memory_fails_alone_instead_of_ending_its_worker(registered: list[str]) -> None:
    registered.append("test.exhausts")

    @task("test.exhausts")
    def exhaust() -> None:
        raise MemoryError

    with pytest.raises(TaskOutOfMemoryError, match=r"test\.exhausts ran out of memory"):
        app.tasks["test.exhausts"]()
    with pytest.raises(MemoryError):
        exhaust()  # the function itself stays as it is


def test_second_task_of_a_name_is_refused_at_import() -> None:
    task("test.declared_twice")
    with pytest.raises(DuplicateTaskError, match=r"task 'test\.declared_twice' is declared twice"):
        task("test.declared_twice")
