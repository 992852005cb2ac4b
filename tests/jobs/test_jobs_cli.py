"""`elp jobs`: what operators read and what it exits with."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from typer.testing import CliRunner

from tests.factories import make_user
from worker.cli import jobs as command
from worker.cli.jobs import WrongPeriodError
from worker.db import transaction
from worker.jobs.errors import UnknownJobError, UnknownRunError


@pytest.fixture
def elp(database_url: str, redis_url: str) -> Callable[..., Any]:
    """Run `elp jobs …` and return its exit code and what it printed, from JSON where that was asked for."""

    def run(*arguments: str) -> tuple[int, Any]:
        result = CliRunner().invoke(command.app, arguments, env={"COLUMNS": "200"})
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, json.loads(result.stdout) if "--json" in arguments else result.stdout

    return run


def test_list_tells_schedule_next_period_and_newest_run(elp) -> None:
    def listed() -> dict[str, dict[str, Any]]:
        return {job["name"]: job for job in elp("list", "--json")[1]}

    before = listed()["attempts.ensure_partitions"]
    elp("run", "attempts.ensure_partitions")
    after = listed()["attempts.ensure_partitions"]
    assert "srs.build_due_queues" in listed()
    assert before["latest_run"] is None
    assert after["latest_run"]["state"] == "succeeded"
    assert after["schedule"] == "At 01:10 every day (UTC)"
    assert after["last_period"] < after["next_period"]
    assert "attempts.ensure_partitions" in elp("list")[1]


def test_run_goes_through_the_ledger_without_any_worker(elp) -> None:
    with transaction() as connection:
        make_user(connection)
    code, run = elp("run", "srs.build_due_queues", "--json")
    assert (code, run["state"], run["trigger"], run["items"], run["done"]) == (0, "succeeded", "manual", 1, 1)
    _, shown = elp("show", run["id"], "--all", "--json")
    assert shown["run"] == run
    assert [shard["state"] for shard in shown["shards"]] == ["done"]


def test_same_period_runs_once(elp) -> None:
    first, second = (
        elp("run", "attempts.ensure_partitions", "--period", "2026-11-24T01:10+07:00", "--json")[1] for _ in range(2)
    )
    assert first == second
    assert first["period"] == "2026-11-23T18:10:00Z"
    assert len(elp("history", "--json")[1]) == 1


def test_failed_run_ends_with_exit_code_1_and_show_tells_why(elp, declare) -> None:
    declare("test.fails", lambda _: 1 / 0, max_starts=1, shards=2)
    code, run = elp("run", "test.fails", "--json")
    assert (code, run["state"], run["failed"]) == (1, "failed", 2)
    _, text = elp("show", run["id"])
    assert "ZeroDivisionError: division by zero" in text
    assert "failed" in elp("history", "test.fails")[1]


def test_history_is_newest_first_and_of_one_job_when_named(elp, declare) -> None:
    declare("test.count")
    for name in ("test.count", "attempts.ensure_partitions", "test.count"):
        elp("run", name)
    assert [run["job"] for run in elp("history", "--json", "--limit", "2")[1]] == [
        "test.count",
        "attempts.ensure_partitions",
    ]
    assert len(elp("history", "test.count", "--json")[1]) == 2


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("run", "srs.build_due_queue"), UnknownJobError),
        (("history", "srs.build_due_queue"), UnknownJobError),
        (("run", "srs.build_due_queues", "--period", "yesterday"), WrongPeriodError),
        (("run", "srs.build_due_queues", "--period", "2026-11-24T01:00"), WrongPeriodError),
        (("show", str(UUID(int=1))), UnknownRunError),
    ],
)
def test_mistakes_are_errors_that_name_the_remedy(elp, arguments: tuple[str, ...], error: type[Exception]) -> None:
    with pytest.raises(error):
        elp(*arguments)
