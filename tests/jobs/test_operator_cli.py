"""`elp jobs` for repairing and holding up: what each command does, prints and exits with."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from typer.testing import CliRunner

from tests.factories import make_outbox_entry
from worker.cli import jobs as command
from worker.cli.job_control import WrongTargetError
from worker.cli.job_outbox import NothingNamedError
from worker.cli.jobs import WrongParameterError
from worker.jobs.errors import NotParkedError, UnknownJobError, UnknownRunError, UnknownShardError, WrongStateError
from worker.jobs.execution import start_run, work_on_run

PERIOD = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
NOBODY = str(UUID(int=1))


@pytest.fixture
def elp(database_url: str, redis_url: str) -> Callable[..., tuple[int, Any]]:
    """Run `elp jobs …` and return its exit code and what it printed, from JSON where that was asked for."""

    def run(*arguments: str) -> tuple[int, Any]:
        result = CliRunner().invoke(command.app, arguments, env={"COLUMNS": "200"})
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, json.loads(result.stdout) if "--json" in arguments else result.stdout

    return run


def test_pause_is_kept_and_shown_until_it_is_resumed(elp) -> None:
    assert elp("pause", "attempts.ensure_partitions", "--json") == (
        0,
        {"job": "attempts.ensure_partitions", "paused": True, "changed": True},
    )
    assert "as before" in elp("pause", "attempts.ensure_partitions")[1]
    shown = {job["name"]: job["is_paused"] for job in elp("list", "--json")[1]}
    assert shown["attempts.ensure_partitions"]
    assert sum(shown.values()) == 1
    assert "paused" in elp("list")[1]
    assert elp("resume", "attempts.ensure_partitions", "--json")[1]["changed"]
    assert not any(job["is_paused"] for job in elp("list", "--json")[1])


def test_failed_run_is_done_after_all_when_it_is_retried(elp, declare) -> None:
    broken = [True]

    def body(_: object) -> int:
        return 1 // (not broken[0])

    declare("test.fails", body, max_starts=1, shards=2)
    _, run = elp("run", "test.fails", "--json")
    assert run["state"] == "failed"
    broken[0] = False
    code, answer = elp("retry", run["id"], "--json")
    assert (code, answer["shards"], answer["run"]["state"]) == (0, 2, "planned")
    work_on_run(UUID(run["id"]))
    assert elp("show", run["id"], "--json")[1]["run"]["state"] == "succeeded"


def test_one_shard_is_retried_by_its_number(elp, declare) -> None:
    declare("test.fails", lambda _: 1 // 0, max_starts=1, shards=3)
    _, run = elp("run", "test.fails", "--json")
    assert elp("retry", f"{run['id']}/1", "--json")[1]["shards"] == 1
    assert [shard["state"] for shard in elp("show", run["id"], "--json")[1]["shards"]] == [
        "failed",
        "pending",
        "failed",
    ]


def test_cancelled_run_stops_what_is_not_done(elp, declare) -> None:
    declare("test.count", shards=4)
    run_id = start_run("test.count", PERIOD, trigger="manual").run.run_id
    code, answer = elp("cancel", str(run_id), "--json")
    assert (code, answer["shards"], answer["run"]["state"]) == (0, 4, "cancelled")
    with pytest.raises(WrongStateError, match="cancelled"):
        elp("cancel", str(run_id))


def test_missed_periods_are_listed_with_what_becomes_of_them(elp, declare, ledger) -> None:
    declare("test.hourly", schedule="0 * * * *", catch_up="latest", horizon=timedelta(days=1))
    assert "nothing was missed" not in elp("missed", "test.hourly")[1]
    ledger.query(
        "INSERT INTO job_controls (job, covered_until) VALUES ('test.hourly', now() - interval '3 hours')"
        " ON CONFLICT (job) DO UPDATE SET covered_until = excluded.covered_until"
    )
    _, missed = elp("missed", "test.hourly", "--json")
    assert [period["decision"] for period in missed] == ["skip", "skip", "run"]
    assert all(period["reason"] for period in missed)


def test_dry_run_shows_what_it_would_do_and_changes_nothing(elp, declare, ledger) -> None:
    def body(shard: Any) -> int:
        shard.show({"shard": shard.number})
        return 7

    declare("test.shows", body, shards=2)
    code, report = elp("run", "test.shows", "--dry-run", "--json")
    assert (code, report["shards"], report["items"], report["failed"]) == (0, 2, 14, 0)
    assert report["samples"] == [{"shard": 0}, {"shard": 1}]
    assert ledger.query("SELECT count(*) FROM job_runs") == [(0,)]
    assert "nothing was changed" in elp("run", "test.shows", "--dry-run")[1]


def test_dry_run_of_what_would_fail_ends_with_exit_code_1_and_says_why(elp, declare) -> None:
    declare("test.fails", lambda _: 1 // 0)
    code, text = elp("run", "test.fails", "--dry-run")
    assert code == 1
    assert "ZeroDivisionError" in text


def test_parameters_are_json_or_else_text(elp, declare) -> None:
    declare("test.takes", shards=1)
    arguments = ("--param", "count=3", "--param", "name=Budi", "--param", 'list=["a"]', "--param", "text=a=b")
    assert elp("run", "test.takes", "--json", *arguments)[1]["parameters"] == {
        "count": 3,
        "name": "Budi",
        "list": ["a"],
        "text": "a=b",
    }


def test_watch_follows_a_run_to_its_end(elp, declare) -> None:
    declare("test.count", shards=3)
    run_id = start_run("test.count", PERIOD, trigger="manual").run.run_id
    worker = threading.Timer(0.7, work_on_run, [run_id])
    worker.start()
    result = CliRunner().invoke(command.app, ["watch", str(run_id), "--json"])
    worker.join()
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert lines[0]["run"]["state"] == "planned"
    assert (lines[-1]["run"]["state"], lines[-1]["run"]["done"]) == ("succeeded", 3)
    code, text = elp("watch", str(run_id))
    assert code == 0
    assert "3/3" in text


def test_watch_that_is_out_of_time_ends_with_exit_code_3_and_a_failed_run_with_1(elp, declare) -> None:
    declare("test.fails", lambda _: 1 // 0, max_starts=1)
    run_id = start_run("test.fails", PERIOD, trigger="manual").run.run_id
    assert elp("watch", str(run_id), "--timeout", "0")[0] == 3
    work_on_run(run_id)
    assert elp("watch", str(run_id))[0] == 1


@pytest.fixture
def parked(database_url: str) -> list[str]:
    """Two parked entries of one key and one that waits, the parked ones' ids."""
    values = {"parked_at": PERIOD, "error": "ValueError: no", "starts": 5, "relayed_at": PERIOD, "relays": 5}
    with psycopg.connect(database_url, autocommit=True) as connection:
        make_outbox_entry(connection)
        return [str(make_outbox_entry(connection, **values)) for _ in range(2)]


def test_outbox_shows_parked_entries_first_with_their_errors(elp, parked) -> None:
    _, entries = elp("outbox", "--json")
    assert [entry["state"] for entry in entries] == ["parked", "parked", "waiting"]
    assert entries[0]["error"] == "ValueError: no"
    assert len(elp("outbox", "--parked", "--json")[1]) == 2
    text = elp("outbox")[1]
    assert parked[0] in text
    assert "ValueError" in text


def test_parked_entries_are_retried_and_discarded_by_name_or_all(elp, parked, ledger) -> None:
    # The group's own options stand before its sub-command, so these print text.
    assert "1 entries will be sent again" in elp("outbox", "retry", parked[0])[1]
    ((parked_at, starts, relayed_at),) = ledger.query(
        "SELECT parked_at, starts, relayed_at FROM job_outbox WHERE id = %s", parked[0]
    )
    assert (parked_at, starts, relayed_at) == (None, 0, None)
    with pytest.raises(NotParkedError):
        elp("outbox", "retry", parked[0])
    assert elp("outbox", "discard", "--all", "--json") == (0, [parked[1]])
    assert ledger.query("SELECT count(*) FROM job_outbox") == [(2,)]


def test_of_two_parked_entries_of_a_key_only_the_newest_is_retried(elp, database_url: str) -> None:
    values = {"parked_at": PERIOD, "error": "no", "dedupe_key": "same"}
    with psycopg.connect(database_url, autocommit=True) as connection:
        _, newest = (make_outbox_entry(connection, **values) for _ in range(2))
    assert elp("outbox", "retry", "--all", "--json") == (0, [str(newest)])
    assert elp("outbox", "retry", "--all", "--json") == (0, [])


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("pause", "srs.build_due_queue"), UnknownJobError),
        (("resume", "nothing.at_all"), UnknownJobError),
        (("missed", "srs.build_due_queue"), UnknownJobError),
        (("retry", NOBODY), UnknownRunError),
        (("retry", f"{NOBODY}/3"), UnknownRunError),
        (("cancel", NOBODY), UnknownRunError),
        (("watch", NOBODY), UnknownRunError),
        (("retry", "yesterday"), WrongTargetError),
        (("retry", f"{NOBODY}/x"), WrongTargetError),
        (("run", "srs.build_due_queues", "--param", "novalue"), WrongParameterError),
        (("outbox", "retry"), NothingNamedError),
        (("outbox", "discard", NOBODY), NotParkedError),
    ],
)
def test_mistakes_are_errors_that_name_the_remedy(elp, arguments: tuple[str, ...], error: type[Exception]) -> None:
    with pytest.raises(error):
        elp(*arguments)


def test_shard_that_a_run_does_not_have_is_named(elp, declare) -> None:
    declare("test.count")
    run_id = start_run("test.count", PERIOD, trigger="manual").run.run_id
    with pytest.raises(UnknownShardError):
        elp("retry", f"{run_id}/9")
