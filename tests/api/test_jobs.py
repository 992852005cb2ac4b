"""Operators' routes: the same functions as the command line's, with problems for what can't be done."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest

from tests.api.server import ApiServer
from tests.factories import make_outbox_entry
from tests.jobs import conftest as jobs
from worker.jobs.execution import start_run, work_on_run

PERIOD = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
NOBODY = UUID(int=1)

declare = jobs.declare


@pytest.fixture
def api(database_url: str, redis_url: str) -> Iterator[ApiServer]:
    """A server on the database that also this process's jobs work on."""
    with ApiServer(database_url, redis_url=redis_url) as server:
        yield server


def test_jobs_are_listed_and_runs_of_a_job_too(api):
    jobs = {job["name"]: job for job in api.client.get("/v1/jobs").json()}
    assert jobs["srs.build_due_queues"]["schedule"].startswith("Every 15th minute")
    assert jobs["srs.build_due_queues"]["latest_run"] is None
    started = api.client.post("/v1/jobs/attempts.ensure_partitions/runs", json={"period": "2026-11-24T01:10:00Z"})
    assert started.status_code == 202
    run = started.json()
    assert (run["trigger"], run["shards"], run["period"]) == ("manual", 1, "2026-11-24T01:10:00Z")
    work_on_run(UUID(run["id"]))
    (listed,) = api.client.get("/v1/job-runs", params={"job": "attempts.ensure_partitions"}).json()
    assert listed["state"] == "succeeded"
    shown = api.client.get(f"/v1/job-runs/{run['id']}", params={"done": True}).json()
    assert [shard["state"] for shard in shown["shards"]] == ["done"]


def test_same_period_started_twice_is_one_run(api):
    body = {"period": "2026-11-24T01:10:00Z"}
    first, second = (api.client.post("/v1/jobs/attempts.ensure_partitions/runs", json=body).json() for _ in range(2))
    assert first["id"] == second["id"]


def test_dry_run_changes_nothing(api):
    report = api.client.post("/v1/jobs/attempts.ensure_partitions/dry-runs", json={}).json()
    assert (report["shards"], report["failed"]) == (1, 0)
    assert api.client.get("/v1/job-runs").json() == []


def test_run_is_cancelled_and_retried(api, declare):
    declare("test.count", shards=3)
    run_id = start_run("test.count", PERIOD, trigger="manual").run.run_id
    cancelled = api.client.post(f"/v1/job-runs/{run_id}/cancel").json()
    assert (cancelled["shards"], cancelled["run"]["state"]) == (3, "cancelled")
    again = api.client.post(f"/v1/job-runs/{run_id}/cancel")
    assert (again.status_code, again.json()["type"]) == (409, "urn:elp:problem:wrong-state")
    assert api.client.post(f"/v1/job-runs/{run_id}/shards/1/retry").json()["shards"] == 1
    work_on_run(run_id)
    assert api.client.post(f"/v1/job-runs/{run_id}/retry").json()["shards"] == 2
    work_on_run(run_id)
    assert api.client.get(f"/v1/job-runs/{run_id}").json()["run"]["state"] == "succeeded"


def test_job_is_paused_and_resumed(api):
    path = "/v1/jobs/srs.build_due_queues"
    assert api.client.post(f"{path}/pause").json() == {"job": "srs.build_due_queues", "paused": True, "changed": True}
    assert not api.client.post(f"{path}/pause").json()["changed"]
    assert [job["name"] for job in api.client.get("/v1/jobs").json() if job["is_paused"]] == ["srs.build_due_queues"]
    assert api.client.post(f"{path}/resume").json()["changed"]


def test_missed_periods_and_the_doctor_answer(api):
    assert {"job", "period", "decision", "reason"} == set(api.client.get("/v1/missed-periods").json()[0])
    doctor = api.client.get("/v1/doctor").json()
    assert doctor["status"] == "critical"  # no worker runs here
    assert {"database", "broker", "pulse", "disk"} <= {finding["check"] for finding in doctor["findings"]}
    assert all(finding["remedy"] for finding in doctor["findings"] if finding["level"] != "ok")


def test_parked_entries_are_listed_retried_and_discarded(api, database_url):
    values = {"parked_at": PERIOD, "error": "ValueError: no"}
    with psycopg.connect(database_url, autocommit=True) as connection:
        first, second = (str(make_outbox_entry(connection, **values)) for _ in range(2))
    assert {entry["id"] for entry in api.client.get("/v1/outbox", params={"parked": True}).json()} == {first, second}
    assert api.client.post("/v1/outbox/retry", json={"ids": [first]}).json() == [first]
    assert api.client.post("/v1/outbox/retry", json={"ids": [first]}).status_code == 409
    assert api.client.post("/v1/outbox/discard", json={"ids": None}).json() == [second]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "kind"),
    [
        ("POST", "/v1/jobs/srs.build_due_queue/runs", {}, 404, "unknown-job"),
        ("POST", "/v1/jobs/srs.build_due_queue/pause", None, 404, "unknown-job"),
        ("GET", "/v1/job-runs?job=srs.build_due_queue", None, 404, "unknown-job"),
        ("GET", f"/v1/job-runs/{NOBODY}", None, 404, "unknown-run"),
        ("POST", f"/v1/job-runs/{NOBODY}/cancel", None, 404, "unknown-run"),
        ("POST", f"/v1/job-runs/{NOBODY}/shards/0/retry", None, 404, "unknown-run"),
        ("POST", "/v1/jobs/srs.build_due_queues/runs", {"period": "yesterday"}, 422, "invalid-parameters"),
        ("POST", "/v1/jobs/srs.build_due_queues/runs", {"perod": None}, 422, "invalid-parameters"),
        ("POST", "/v1/jobs/jobs.prune/runs", {"parameters": {"x": 1}}, 422, "invalid-parameters"),
        ("GET", "/v1/job-runs?limit=0", None, 422, "invalid-parameters"),
        ("POST", "/v1/outbox/discard", {}, 422, "invalid-parameters"),
    ],
)
def test_mistakes_are_problems(api, method, path, body, status, kind):
    answer = api.client.request(method, path, json=body)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:elp:problem:{kind}")


def test_unknown_job_names_the_closest(api):
    assert (
        "did you mean 'srs.build_due_queues'" in api.client.post("/v1/jobs/srs.build_due_queue/pause").json()["detail"]
    )
