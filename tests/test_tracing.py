"""Traces: one from a request to the drain or the shard it caused; nothing at all while they are off."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from celery import signals
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.api.bodies import new_attempt
from tests.api.server import ApiServer
from tests.jobs import conftest as jobs
from tests.support.processes import Program, wait_until
from worker import app as celery_app
from worker import tracing
from worker.embedded.ports import free_port
from worker.errors import ConfigurationError
from worker.settings import Settings

declare = jobs.declare
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TRACE = 0x4BF92F3577B34DA6A3CE929D0E0E4736


@pytest.fixture
def spans(settings: Callable[..., Settings]) -> Iterator[Callable[[], dict[str, Any]]]:
    """Trace into memory; returns a reader of the spans by name."""
    exporter = InMemorySpanExporter()
    tracing.start("test", settings(tracing="true"), exporter)
    yield lambda: {span.name: span for span in exporter.get_finished_spans()}
    tracing.stop()


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any, dict[str, str] | None]]:
    """What is published: name, arguments, headers."""
    sent: list[tuple[str, Any, dict[str, str] | None]] = []

    def send(name: str, *, args: Any, headers: dict[str, str] | None, **_: Any) -> None:
        sent.append((name, args, headers))

    monkeypatch.setattr(celery_app.app, "send_task", send)
    return sent


def work(message: tuple[str, Any, dict[str, str] | None]) -> None:
    """Do what a worker does with a message: the registered task, with the message's headers."""
    name, arguments, headers = message
    celery_app.app.tasks[name].apply(arguments, headers=headers, throw=True)


def test_drain_belongs_to_the_trace_of_the_request_that_brought_its_attempts(
    spans, messages, database_url: str, redis_url: str
) -> None:
    with ApiServer(database_url, redis_url=redis_url) as api:
        api.client.post("/v1/attempts", json=new_attempt(), headers={"traceparent": PARENT}).raise_for_status()
        wait_until(lambda: messages, what="a nudge")
    (message,) = messages
    assert message[0] == "attempts.drain"
    work(message)
    found = spans()
    assert {found[name].context.trace_id for name in ("request", "attempts.drain", "drain")} == {TRACE}
    assert found["attempts.drain"].parent.span_id == found["request"].context.span_id
    assert found["drain"].attributes["lane"] == message[1][0]


def test_shard_belongs_to_the_trace_of_the_request_that_started_its_run(
    spans, messages, declare, database_url: str, redis_url: str
) -> None:
    declare("test.traced", shards=1)
    with ApiServer(database_url, redis_url=redis_url) as api:
        started = api.client.post("/v1/jobs/test.traced/runs", json={}, headers={"traceparent": PARENT})
    run_id = UUID(started.json()["id"])
    (message,) = messages
    work(message)
    shard = spans()["shard"]
    assert shard.context.trace_id == TRACE
    assert dict(shard.attributes) == {"job": "test.traced", "run_id": str(run_id), "shard": 0}


def test_message_without_a_trace_begins_one(spans, messages) -> None:
    tracing.stop()
    celery_app.nudge("attempts.drain", 3, queue="attempts")
    assert messages == [("attempts.drain", (3,), None)]


def test_off_nothing_is_traced_or_carried(settings: Callable[..., Settings]) -> None:
    tracing.start("test", settings())
    assert not tracing.is_on()
    assert tracing.context() is None
    assert tracing.span("a") is tracing.span("b", {"x": 1})


def test_missing_extra_is_named(settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match=r"elp-worker\[otel\]"):
        tracing.start("test", settings(tracing="true"))


def test_each_worker_child_starts_its_own(settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    started = []
    monkeypatch.setattr(tracing, "start", lambda process, _: started.append(process))
    settings()
    signals.worker_process_init.send(sender=None)
    assert started == ["worker"]


@pytest.mark.processes
def test_collector_receives_one_trace_from_the_request_to_the_drain_in_another_process(
    program: Callable[..., Program], database_url: str, redis_url: str, tmp_path: Path
) -> None:
    received = tmp_path / "spans"
    collector = program("python", "-m", "tests.support.otlp_receiver", str(received))
    collector.start(ready=lambda: collector.output().endswith("\n"))
    environment = {
        "ELP_TRACING": "true",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.output().split()[0]}",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    worker = program("python", "-m", "celery", "-A", "worker.app", "worker", "-c", "1", "-Q", "attempts", **environment)
    worker.start(ready=lambda: "ready." in worker.output())
    port = free_port()
    api = program("python", "-m", "worker.api", ELP_API_PORT=str(port), ELP_API_TOKEN="t0ken", **environment)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Authorization": "Bearer t0ken"}) as client:

        def is_serving() -> bool:
            try:
                return client.get("/v1/health").is_success
            except httpx.TransportError:
                return False

        api.start(ready=is_serving)
        client.post("/v1/attempts", json=new_attempt(), headers={"traceparent": PARENT}).raise_for_status()

    def of_the_trace() -> dict[str, dict[str, Any]]:
        lines = received.read_text().splitlines() if received.exists() else []
        spans = [json.loads(line) for line in lines if line.endswith("}")]
        return {span["name"]: span for span in spans if span["trace"] == f"{TRACE:032x}"}

    wait_until(lambda: {"request", "attempts.drain", "drain"} <= of_the_trace().keys(), what="the trace")
    found = of_the_trace()
    assert {name: found[name]["service"] for name in ("request", "attempts.drain", "drain")} == {
        "request": "elp-api",
        "attempts.drain": "elp-worker",
        "drain": "elp-worker",
    }
    assert found["request"]["parent"] == PARENT.split("-")[2]
    assert found["attempts.drain"]["parent"] == found["request"]["span"]
    assert found["drain"]["parent"] == found["attempts.drain"]["span"]
    assert "lane" in found["drain"]["attributes"]
