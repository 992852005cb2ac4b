"""Declaring jobs: what is refused, and with which words."""

from datetime import timedelta
from typing import Any

import pytest

import tasks
from worker.jobs import Retry, job
from worker.jobs.beat import beat_entries
from worker.jobs.definition import Shard
from worker.jobs.errors import DuplicateJobError, InvalidJobError, InvalidScheduleError, UnknownJobError
from worker.jobs.registry import load_jobs, registry


def count(shard: Shard) -> int:
    """Count things.

    More than that.
    """
    return len(shard.bounds)


def count_again(shard: Shard) -> int:
    """Count things again."""
    return len(shard.bounds)


def without_docstring(shard: Shard) -> int:
    return len(shard.bounds)


def test_decorated_function_stays_what_it_is(declare) -> None:
    declare("test.other")
    assert job("test.count")(count) is count
    assert registry.get("test.count").summary == "Count things."
    registry.remove("test.count")


def test_second_declaration_of_a_name_is_refused_and_both_are_named(declare) -> None:
    declare("test.count")
    with pytest.raises(
        DuplicateJobError, match=r"'test\.count' is declared twice.*conftest.*test_registry\.count_again"
    ):
        job("test.count")(count_again)


def test_unknown_name_is_answered_with_the_closest_one(declare) -> None:
    declare("test.count")
    with pytest.raises(UnknownJobError, match=r"no job 'test\.cuont'; did you mean 'test\.count'\?"):
        registry.get("test.cuont")


def test_name_like_no_other_is_answered_with_all_of_them(declare) -> None:
    declare("test.count")
    with pytest.raises(UnknownJobError, match=r"known jobs: .*test\.count"):
        registry.get("zzz")


@pytest.mark.parametrize("option", ["max_starts", "time_limit_s", "lease_s", "concurrency"])
def test_number_below_one_is_refused_by_its_name(option: str) -> None:
    with pytest.raises(InvalidJobError, match=f"'test.count': {option} must be at least 1"):
        job("test.count", **{option: 0})(count)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"queue": "bach"}, r"there is no queue 'bach': attempts, default, batch"),
        ({"catch_up": "some"}, r"there is no catch-up policy 'some': all, latest, none"),
        ({"horizon": timedelta(0)}, "horizon must be longer than nothing"),
        ({"retry": Retry(first=timedelta(0))}, "retry.first must be longer than nothing"),
        ({"retry": Retry(first=timedelta(hours=1))}, "no longer than retry.longest"),
        ({"retry": Retry(jitter=1.1)}, "a share from 0 to 1"),
    ],
)
def test_value_that_cannot_work_is_refused_with_what_could(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidJobError, match=problem):
        job("test.count", **options)(count)


@pytest.mark.parametrize("name", ["count", "Test.count", "test.", "test.count learners", "test count", ""])
def test_name_that_is_not_one_is_refused(name: str) -> None:
    with pytest.raises(InvalidJobError, match=r"a name is <capability>\.<what_it_does>"):
        job(name)(count)


def test_job_without_docstring_is_refused_since_operators_read_it() -> None:
    with pytest.raises(InvalidJobError, match="without_docstring needs a docstring"):
        job("test.count")(without_docstring)


@pytest.mark.parametrize(
    ("cron", "zone", "problem"),
    [
        ("61 * * * *", "UTC", "minute"),
        ("* * * *", "UTC", "five fields"),
        ("* * * * * *", "UTC", "five fields"),
        ("0 0 31 2 *", "UTC", "day-of-month"),
        ("0 3 * * *", "Asia/Jakrata", "no such time zone"),
        ("0 3 * * *", "../etc/passwd", "no such time zone"),
    ],
)
def test_schedule_that_cannot_be_read_is_refused_with_its_reason(cron: str, zone: str, problem: str) -> None:
    with pytest.raises(InvalidScheduleError, match=problem):
        job("test.count", schedule=cron, timezone=zone)(count)


def test_beat_gets_one_entry_for_each_scheduled_job_and_no_others() -> None:
    jobs = load_jobs(tasks.MODULES)
    entries = beat_entries(jobs)
    assert set(entries) == {job.name for job in jobs if job.schedule is not None} >= {"srs.build_due_queues"}
    assert entries["srs.build_due_queues"]["args"] == ("srs.build_due_queues",)
    assert entries["srs.build_due_queues"]["task"] == "jobs.start"
