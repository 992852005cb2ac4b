"""Flower: closed without its login, readable, and the same after a restart."""

import re
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.support.processes import Program, wait_until
from worker.embedded.ports import free_port
from worker.errors import ConfigurationError
from worker.flower import check_exposure, flower_environment
from worker.flower_format import readable_arguments
from worker.settings import Settings

LOOPBACK = {"FLOWER_ADDRESS": "127.0.0.1"}


@pytest.mark.parametrize(
    "environment",
    [
        {"FLOWER_ADDRESS": "0.0.0.0"},
        {"FLOWER_ADDRESS": ""},
        {"FLOWER_ADDRESS": "flower.example.org"},
        {"FLOWER_ADDRESS": "0.0.0.0", "FLOWER_CERTFILE": "cert.pem"},
        {"FLOWER_ADDRESS": "0.0.0.0", "FLOWER_XHEADERS": "false"},
        {**LOOPBACK, "FLOWER_UNAUTHENTICATED_API": "true"},
        {**LOOPBACK, "FLOWER_AUTH": ".*@example.org"},  # CVE-2022-30034
    ],
)
def test_what_would_open_flower_to_the_world_is_refused(environment: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="FLOWER_"):
        check_exposure(environment)


@pytest.mark.parametrize(
    "environment",
    [
        LOOPBACK,
        {"FLOWER_ADDRESS": "::1"},
        {"FLOWER_ADDRESS": "localhost"},
        {"FLOWER_ADDRESS": "0.0.0.0", "FLOWER_CERTFILE": "cert.pem", "FLOWER_KEYFILE": "key.pem"},
        {"FLOWER_ADDRESS": "0.0.0.0", "FLOWER_XHEADERS": "true"},
        {**LOOPBACK, "FLOWER_UNAUTHENTICATED_API": "false"},
    ],
)
def test_what_keeps_the_login_safe_is_accepted(environment: dict[str, str]) -> None:
    check_exposure(environment)


@pytest.mark.parametrize(
    ("task", "arguments", "shown"),
    [
        ("attempts.drain", "(7,)", "lane 7"),
        ("jobs.start", "('srs.build_due_queues',)", "srs.build_due_queues: what is due"),
        (
            "jobs.start",
            "('srs.build_due_queues', '2026-11-24T03:00:00+00:00')",
            "srs.build_due_queues for 2026-11-24T03:00:00+00:00",
        ),
        ("jobs.run_shard", "('01a2', 3)", "run 01a2 from shard 3"),
        ("attempts.drain", "()", "()"),
        ("some.other", "(1, 2)", "(1, 2)"),
        ("jobs.run_shard", "('01a2…", "('01a2…"),
        (None, None, None),
    ],
)
def test_arguments_are_shown_as_what_they_mean(task: str | None, arguments: str | None, shown: str | None) -> None:
    assert readable_arguments(task, arguments) == shown


def test_password_change_ends_all_sessions_and_a_restart_does_not(settings: Callable[..., Settings]) -> None:
    one, same, other = (flower_environment(settings(flower_auth=f"me:{word}")) for word in ("a", "a", "b"))
    assert one["FLOWER_COOKIE_SECRET"] == same["FLOWER_COOKIE_SECRET"] != other["FLOWER_COOKIE_SECRET"]


@pytest.mark.processes
def test_wrong_setting_is_named_and_nothing_listens(program: Callable[..., Program], redis_url: str) -> None:
    for environment in ({}, {"ELP_FLOWER_AUTH": "me:mine", "FLOWER_ADDRESS": "0.0.0.0"}):
        started = program("python", "-m", "worker.flower", **environment).start()
        assert started.process is not None
        assert started.process.wait(90) == 1
        assert "FLOWER_A" in started.output()
        assert "Traceback" not in started.output()


@pytest.fixture
def flower(
    program: Callable[..., Program], redis_url: str, tmp_path
) -> Iterator[Callable[[], tuple[Program, httpx.Client]]]:
    """Start Flower on the test's broker, the same one again and again; returns it and a client that is logged in."""
    port = free_port()
    clients: list[httpx.Client] = []

    def start() -> tuple[Program, httpx.Client]:
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", auth=("me", "mine"), timeout=10)
        clients.append(client)
        started = program(
            "python",
            "-m",
            "worker.flower",
            ELP_FLOWER_AUTH="me:mine",
            ELP_FLOWER_PORT=str(port),
            ELP_DATA_DIR=str(tmp_path / "elp"),
        )

        def answers() -> bool:
            try:
                return client.get("/healthcheck").status_code == 200
            except httpx.TransportError:
                return False

        return started.start(ready=answers, timeout_s=90), client

    yield start
    for client in clients:
        client.close()


@pytest.mark.processes
def test_everything_but_the_health_check_needs_the_login_and_the_pages_can_be_read(
    flower, program: Callable[..., Program], database_url: str, redis_url: str, tmp_path
) -> None:
    started, client = flower()
    worker = program(
        "python", "-m", "celery", "-A", "worker.app", "worker", "-n", "one@test", "-c", "1", ELP_DATA_DIR=str(tmp_path)
    )
    worker.start(ready=lambda: "ready." in worker.output(), timeout_s=90)
    paths = ["/", "/workers", "/tasks", "/broker", "/metrics", "/api/workers", "/api/tasks", "/api/task/types"]
    with httpx.Client(base_url=client.base_url) as stranger:
        assert {path: stranger.get(path).status_code for path in paths} == dict.fromkeys(paths, 401)
        for path in ("/api/worker/shutdown/one@test", "/api/task/async-apply/attempts.drain"):
            assert stranger.post(path).status_code == 401
    assert worker.is_running()

    wait_until(lambda: "jobs.start" in client.get("/api/tasks").text, 90, "a task in Flower")
    found = client.get("/tasks/datatable", params=DATATABLE).json()["data"]
    assert any(task["name"] == "jobs.start" and task["args"].endswith(": what is due") for task in found)
    broker = client.get("/broker").text
    assert all(re.search(rf">\s*{queue}\s*<", broker) for queue in ("attempts", "default", "batch"))
    known = set(client.get("/api/tasks").json())

    assert started.stop() == 0
    _, again = flower()
    wait_until(lambda: known <= set(again.get("/api/tasks").json()), 90, "the tasks of before the restart")


DATATABLE = {
    "draw": 1,
    "start": 0,
    "length": 50,
    "search[value]": "",
    "order[0][column]": 0,
    "order[0][dir]": "asc",
    "columns[0][data]": "name",
}
