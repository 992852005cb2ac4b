"""`elp doctor` on real servers."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
import redis
from typer.testing import CliRunner

from tests.factories import make_outbox_entry, make_run, make_user
from tests.factories_operations import make_backup, make_backup_check, make_heartbeat
from worker import clock
from worker.cli import app as command
from worker.db.engines import libpq_url
from worker.doctor import gather
from worker.metrics.state import QUEUES
from worker.settings import Settings


@pytest.fixture
def doctor(settings: Callable[..., Settings]) -> Callable[..., tuple[int, Any]]:
    """Run `elp doctor --json …` and return its exit code and its findings by check."""

    def run(*arguments: str) -> tuple[int, dict[str, dict[str, Any]]]:
        result = CliRunner().invoke(command, ["doctor", "--json", *arguments])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        answer = json.loads(result.stdout)
        assert answer["status"] == ("ok", "warning", "critical")[result.exit_code]
        worst: dict[str, dict[str, Any]] = {}
        for finding in answer["findings"]:
            if finding["level"] != "ok" or finding["check"] not in worst:
                worst[finding["check"]] = finding
        return result.exit_code, worst

    return run


@pytest.fixture
def well(database_url: str, redis_url: str) -> Any:
    """A platform whose worker, pulse and beat seem to live; yields a connection."""
    with psycopg.connect(database_url, autocommit=True) as connection, redis.Redis.from_url(redis_url) as client:
        client.set("elp:redbeat::lock", "x", ex=60)
        connection.execute("SELECT pg_advisory_lock(%s, 0)", (0x454C5004,))
        connection.execute("SELECT ensure_question_attempts_partitions(%s, 2)", (clock.now().date(),))
        make_heartbeat(connection, worker="worker@here", queues=sorted(QUEUES))
        make_user(connection)
        make_backup(connection, state="complete", finished_at=clock.now(), proven_at=clock.now(), restore_ms=1)
        make_backup_check(connection, restorable_at=clock.now())
        yield connection


def test_all_is_well_when_everything_lives(doctor, well) -> None:
    code, findings = doctor()
    assert {check: finding for check, finding in findings.items() if finding["level"] == "warning"} == {}
    assert code == 0
    assert {"database", "migrations", "broker", "beat", "clocks", "pulse", "workers", "outbox", "disk"} <= set(findings)


def test_what_is_wrong_is_found(doctor, well) -> None:
    make_run(well, job="gone.job", state="running")
    make_outbox_entry(well, created_at=clock.now() - timedelta(minutes=2))
    make_heartbeat(well, worker="lost@there", seen_at=clock.now() - timedelta(minutes=5))
    code, findings = doctor()
    assert code == 1
    assert "gone.job" in findings["unknown tasks"]["found"]
    assert findings["outbox"]["level"] == "warning"
    assert "lost@there" in findings["workers"]["found"]


def test_nothing_running_is_critical(doctor, database_url: str, redis_url: str) -> None:
    code, findings = doctor()
    assert code == 2
    assert {check for check, finding in findings.items() if finding["level"] == "critical"} >= {"pulse", "workers"}


def test_servers_that_are_away_are_findings_and_no_traceback(doctor, settings) -> None:
    settings(database_url="postgresql://nobody:s3cret@127.0.0.1:1/none", redis_url="redis://:s3cret@127.0.0.1:1/0")
    code, findings = doctor()
    assert code == 2
    assert findings["database"]["remedy"]
    assert findings["broker"]["remedy"]
    assert "s3cret" not in json.dumps(findings)


def test_without_any_server_it_starts_none(doctor, settings, tmp_path) -> None:
    settings(data_dir=tmp_path / "elp")
    code, findings = doctor()
    assert code == 2
    assert "ELP_DATABASE_URL is not set" in findings["database"]["found"]
    assert not (tmp_path / "elp" / "postgres").exists()


def test_older_schema_is_named_and_what_needs_it_left_out(doctor, well) -> None:
    well.execute("UPDATE alembic_version SET version_num = '0001'")
    code, findings = doctor()
    assert (code, findings["migrations"]["level"]) == (2, "critical")
    assert "elp migrate" in findings["migrations"]["remedy"]
    assert "inbox" not in findings


def test_one_workers_probe_tells_living_silent_and_unknown_apart(doctor, well) -> None:
    make_heartbeat(well, worker="silent@here", seen_at=clock.now() - timedelta(minutes=1))
    make_heartbeat(well, worker="deaf@here", is_consuming=False)
    codes = [doctor("--worker", name)[0] for name in ("worker@here", "deaf@here", "silent@here", "nobody@here")]
    assert codes == [0, 1, 2, 2]


def test_human_output_shows_remedies_and_quiet_only_what_is_wrong(well) -> None:
    make_run(well, job="gone.job", state="running")
    loud = CliRunner().invoke(command, ["doctor"])
    quiet = CliRunner().invoke(command, ["doctor", "--quiet"])
    assert "migrations" in loud.stdout
    assert "migrations" not in quiet.stdout
    assert "gone.job" in quiet.stdout
    assert (loud.exit_code, quiet.exit_code) == (1, 1)


def test_zone_that_only_this_machine_lacks_is_told_apart(well, database_url: str, redis_url: str, tmp_path) -> None:
    make_user(well, timezone="Asia/Makassar")
    facts = gather(libpq_url(database_url), redis_url, [], [], tmp_path)
    assert facts.database is not None
    zones = {zone.name: zone for zone in facts.database.zones}
    assert zones["Asia/Makassar"].offset == zones["Asia/Makassar"].offset_here == timedelta(hours=8)
