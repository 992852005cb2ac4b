"""Starts by events and by hand, and the task that carries them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tasks
from worker import clock
from worker.jobs.errors import EventPeriodError, NotByHandError, UnknownParameterError
from worker.jobs.execution import start_run
from worker.jobs.registry import load_jobs

DECLARED = next(job for job in load_jobs(tasks.MODULES) if job.name == "jobs.prune")
INSTANT = datetime(2026, 11, 24, 3, 0, 0, 123456, tzinfo=UTC)


def test_event_delivered_ten_times_starts_one_run(declare, ledger) -> None:
    declare("test.count")
    started = [start_run("test.count", INSTANT, trigger="event", parameters={"user": 1}) for _ in range(10)]
    assert sum(each.is_new for each in started) == 1
    assert ledger.query("SELECT trigger, parameters FROM job_runs") == [("event", {"user": 1})]
    assert timedelta(0) <= started[0].run.period - INSTANT < timedelta(milliseconds=1)


def test_events_of_one_instant_get_a_run_each_and_find_it_again(declare, ledger) -> None:
    declare("test.count")
    first = [start_run("test.count", INSTANT, trigger="event", parameters={"user": n}) for n in range(60)]
    assert all(each.is_new for each in first)
    again = [start_run("test.count", INSTANT, trigger="event", parameters={"user": n}) for n in reversed(range(60))]
    assert not any(each.is_new for each in again)
    assert [each.run.run_id for each in reversed(again)] == [each.run.run_id for each in first]
    assert ledger.query("SELECT count(*) FROM job_runs") == [(60,)]


def test_event_without_its_instant_is_refused_since_it_could_not_be_known_again(declare, database_url) -> None:
    declare("test.count", schedule="0 * * * *")
    with pytest.raises(EventPeriodError, match="needs the event's instant"):
        start_run("test.count", trigger="event")


def test_job_that_must_not_be_started_by_hand_is_not(declare, database_url) -> None:
    declare("test.count", manual=False)
    with pytest.raises(NotByHandError, match=r"test\.count.*cannot be started by hand"):
        start_run("test.count", INSTANT, trigger="manual")
    assert start_run("test.count", INSTANT).is_new


def test_parameter_that_a_job_does_not_take_is_refused_with_those_it_does(declare, ledger) -> None:
    declare("test.count", parameters={"level": "a CEFR level", "limit": "how many"})
    with pytest.raises(UnknownParameterError, match=r"takes no parameter 'levels'; it takes: level, limit"):
        start_run("test.count", INSTANT, trigger="manual", parameters={"levels": "A1"})
    assert ledger.query("SELECT count(*) FROM job_runs") == [(0,)]


@given(st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), st.integers()))
def test_exactly_the_declared_parameters_are_taken(parameters: dict[str, int]) -> None:
    declared = replace(DECLARED, parameters={"a": "one", "b": "two", "c": "three"})
    if "d" in parameters:
        with pytest.raises(UnknownParameterError):
            declared.check_start("manual", parameters)
    else:
        declared.check_start("manual", parameters)


# --- the task ---


@pytest.fixture
def start(redis_url: str, monkeypatch: pytest.MonkeyPatch):
    from tasks import jobs  # noqa: PLC0415 - reads the broker's settings

    woken: list[tuple[str, int]] = []

    class Woken:
        def run(self, job, run_id, shards) -> None:
            woken.append((job.name, shards))

        def start(self, job) -> bool:
            woken.append((job, -1))
            return True

    monkeypatch.setattr(jobs, "_messages", Woken())
    jobs.start.woken = woken  # type: ignore[attr-defined]
    return jobs.start


def test_message_with_a_name_alone_brings_the_job_up_to_date_once(declare, ledger, start) -> None:
    declare("test.count", schedule="*/15 * * * *", shards=3)
    with clock.travelling(INSTANT):  # no period may begin between the messages
        for _ in range(3):
            start("test.count")
    assert start.woken == [("test.count", 3)]
    assert ledger.query("SELECT trigger FROM job_runs") in ([("schedule",)], [("catch_up",)])


def test_message_of_an_event_delivered_twice_wakes_workers_once(declare, ledger, start) -> None:
    declare("test.count", shards=2)
    for _ in range(2):
        start("test.count", INSTANT.isoformat(), {"user": 1}, "event")
    assert start.woken == [("test.count", 2)]


def test_message_with_a_period_is_for_that_period(declare, ledger, start) -> None:
    declare("test.count", schedule="*/15 * * * *")
    start("test.count", "2026-11-24T03:00:00+00:00")
    assert ledger.query("SELECT period, trigger FROM job_runs") == [
        (datetime(2026, 11, 24, 3, 0, tzinfo=UTC), "schedule")
    ]
