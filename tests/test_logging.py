"""Logs: one shape, the ids of what is at work on every line, and never a secret."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
import structlog

from tests.jobs import conftest as jobs
from worker import logging as ours
from worker.jobs.execution import start_run, work_on_run
from worker.logging import get_logger, masked
from worker.settings import Settings

declare = jobs.declare


@pytest.fixture
def lines(settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[dict]]]:
    """Configure this process's logs as JSON; returns a reader of what was logged."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    root = logging.getLogger()
    before = root.handlers, root.level, structlog.get_config()
    ours.configure("test", settings(log_format="json", log_level="INFO"))
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers, config = before[0], before[2]
    root.setLevel(before[1])
    structlog.configure(**config)
    structlog.contextvars.clear_contextvars()


def test_everything_logged_while_a_shard_is_worked_on_names_it(lines, declare, database_url: str) -> None:
    def body(_: object) -> int:
        get_logger("job's own").info("own_line")
        logging.getLogger("some.library").warning("a library's line")
        raise ValueError("broken")

    declare("test.logs", body, max_starts=1)
    run_id = start_run("test.logs", datetime(2026, 11, 24, 3, tzinfo=UTC)).run.run_id
    work_on_run(run_id)
    said = {line["event"]: line for line in lines()}
    for event in ("own_line", "a library's line", "shard_failed"):
        assert (said[event]["job"], said[event]["run_id"], said[event]["shard"]) == ("test.logs", str(run_id), 0)
    assert "ValueError: broken" in said["shard_failed"]["exception"]
    assert "shard" not in said["run_finished"]


@pytest.mark.parametrize(
    "text",
    [
        "redis://:s3cret@cache:6379/0",
        "postgresql://elp:s3cret@db/elp?sslmode=require",
        "connect to 'postgresql+psycopg://elp:s3cret@db/elp' failed",
        "Authorization: Bearer s3cret",
        "authorization: bearer s3cret.s3cret-s3cret_s3cret",
        "two: redis://a:s3cret@x redis://b:s3cret@y",
    ],
)
def test_secret_is_masked_wherever_it_stands(text: str) -> None:
    assert "s3cret" not in masked(text)
    assert "********" in masked(text)


@pytest.mark.parametrize(
    "text",
    ["http://localhost:8000/docs", "at 2026-11-24T03:00:00Z user@example", "postgresql://db/elp", "lane 3: 5 attempts"],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert masked(text) == text


def test_secret_in_a_librarys_traceback_is_masked(lines) -> None:
    try:
        fail_to_connect()
    except RuntimeError:
        logging.getLogger("kombu").exception("cannot connect to %s", "amqp://me:s3cret@host//")
    (line,) = lines()
    assert "s3cret" not in json.dumps(line)
    assert "RuntimeError" in line["exception"]


def fail_to_connect() -> None:
    raise RuntimeError("no route to redis://:s3cret@cache/0")
