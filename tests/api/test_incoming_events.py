"""POST /v1/events: what is accepted is in the outbox after the answer; what is not is named by place and field."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.server import ApiServer
from tests.factories import make_job_task


@pytest.fixture(scope="module", autouse=True)
def _known(committed_url: str) -> None:
    with psycopg.connect(committed_url) as connection:
        parameters = {"requires": ["user_id"], "accepts": ["user_id", "reason"]}
        make_job_task(connection, name="mail.welcome", from_app=True, **parameters)
        make_job_task(connection, name="mail.internal", **parameters)
        accepts = ["job", "period", "parameters"]
        make_job_task(connection, name="jobs.start", from_app=True, requires=["job"], accepts=accepts)
        make_job_task(connection, kind="job", name="srs.open", from_app=True)
        make_job_task(connection, kind="job", name="srs.exact", from_app=True, accepts=["user_id", "since"])
        make_job_task(connection, kind="job", name="srs.plain", from_app=True, accepts=[])
        make_job_task(connection, kind="job", name="srs.closed")


def post(api: ApiServer, content: Any, **headers: str) -> httpx.Response:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return api.client.post("/v1/events", content=body, headers={"Content-Type": "application/json", **headers})


def event(**values: Any) -> dict[str, Any]:
    return {"task": "mail.welcome", "payload": {"user_id": "u1"}} | values


def test_event_is_in_the_outbox_when_it_is_answered(api: ApiServer, committed: psycopg.Connection):
    due_at = datetime.now(UTC) + timedelta(hours=2)
    answer = post(api, event(dedupe_key=f"k-{uuid4()}", not_before=due_at.isoformat()))
    assert answer.status_code == 202
    ((index, entry_id),) = [(one["index"], one["id"]) for one in answer.json()["accepted"]]
    assert index == 0
    row = committed.execute("SELECT task, payload, due_at FROM job_outbox WHERE id = %s", [entry_id]).fetchone()
    assert row == ("mail.welcome", {"user_id": "u1"}, due_at)


@pytest.mark.parametrize(
    "payload",
    [
        {"job": "srs.exact", "parameters": {"since": "2026-11-24", "user_id": "u1"}},
        {"job": "srs.exact", "parameters": {}},
        {"job": "srs.exact", "parameters": None},
        {"job": "srs.exact"},
        {"job": "srs.plain"},
        {"job": "srs.open", "parameters": {"whatever": 1}},
    ],
)
def test_job_is_started_with_parameters_that_it_takes(api: ApiServer, payload: dict[str, Any]):
    answer = post(api, event(task="jobs.start", payload=payload))
    assert answer.status_code == 202, answer.text


def test_event_sent_again_under_its_id_counts_once(api: ApiServer, committed: psycopg.Connection):
    sent = event(id=str(uuid4()))
    assert post(api, [sent, event(), sent]).json()["duplicates"] == [2]
    again = post(api, sent)
    assert (again.status_code, again.json()["accepted"], again.json()["duplicates"]) == (202, [], [0])
    assert committed.execute("SELECT count(*) FROM job_outbox WHERE id = %s", [sent["id"]]).fetchone() == (1,)


def test_event_whose_key_waits_already_is_a_duplicate(api: ApiServer):
    key = f"k-{uuid4()}"
    assert len(post(api, event(dedupe_key=key)).json()["accepted"]) == 1
    assert post(api, [event(dedupe_key=key), event(dedupe_key=key)]).json()["duplicates"] == [0, 1]


@pytest.mark.parametrize(
    ("wrong", "field", "words"),
    [
        ({"task": "mail.welcom"}, "task", "no task 'mail.welcom' that the app may enqueue; it may: jobs.start, mail.w"),
        ({"task": "mail.internal"}, "task", "may enqueue"),
        ({"task": 5}, "task", "Expected `str`"),
        ({"payload": {"user": 1}}, "payload.user", "no parameter 'user'; its parameters: user_id, reason"),
        ({"payload": {}}, "payload.user_id", "needs the parameter"),
        ({"payload": [1]}, "payload", "must be an object"),
        ({"payload": {"user_id": "x" * 17_000}}, "payload", "16,384"),
        ({"payload": {"user_id": "\0"}}, "payload", "\\u0000"),
        ({"not_before": "2026-11-24T20:00:00"}, "not_before", "timezone"),
        ({"not_before": "soon"}, "not_before", "RFC3339"),
        ({"dedupe_key": "  "}, "dedupe_key", "matching"),
        ({"dedupe_key": "x" * 201}, "dedupe_key", "200"),
        ({"id": "7"}, "id", "UUID"),
        ({"kind": "x"}, "", "kind"),
        (
            {"task": "jobs.start", "payload": {"job": "srs.closed"}},
            "payload.job",
            "it may: srs.exact, srs.open, srs.plain",
        ),
        ({"task": "jobs.start", "payload": {"job": "srs.x"}}, "payload.job", "there is no job 'srs.x'"),
        ({"task": "jobs.start", "payload": {"job": "srs.open", "parameters": 1}}, "payload.parameters", "object"),
        (
            {"task": "jobs.start", "payload": {"job": "srs.exact", "parameters": {"user": 1}}},
            "payload.parameters.user",
            "job srs.exact has no parameter 'user'; its parameters: user_id, since",
        ),
        (
            {"task": "jobs.start", "payload": {"job": "srs.plain", "parameters": {"n": 1}}},
            "payload.parameters.n",
            "its parameters: none",
        ),
    ],
)
def test_wrong_event_is_named_by_place_and_field_and_the_others_are_accepted(
    api: ApiServer, wrong: dict[str, Any], field: str, words: str
):
    answer = post(api, [event(), event(**wrong), {"task": "jobs.start", "payload": {"job": "srs.open"}}])
    assert answer.status_code == 202
    assert [one["index"] for one in answer.json()["accepted"]] == [0, 2]
    ((index, found, message),) = [(one["index"], one["field"], one["message"]) for one in answer.json()["errors"]]
    assert (index, found) == (1, field)
    assert words in message


def test_nothing_acceptable_is_a_problem_that_lists_the_errors(api: ApiServer):
    answer = post(api, [event(task="x"), event(payload=3)])
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [(one["index"], one["field"]) for one in answer.json()["errors"]] == [(0, "task"), (1, "payload")]
    assert post(api, []).json()["detail"] == "the list is empty: send at least one event"


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{", {}, 400),
        (b"[1", {}, 400),
        (b"", {}, 400),
        (b"x" * (4 * 1024 * 1024 + 1), {}, 413),
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (b"{}", {"Content-Encoding": "gzip"}, 415),
        (b"{}", {"Authorization": "Bearer x"}, 401),
    ],
)
def test_request_that_cannot_be_read_is_refused(api: ApiServer, content: bytes, headers: dict[str, str], status: int):
    answer = post(api, content, **headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_too_many_events_are_refused(api: ApiServer):
    assert post(api, [event()] * 1_001).status_code == 413


def test_other_requests_of_the_same_new_id_at_once_make_one_entry(api: ApiServer, committed: psycopg.Connection):
    import threading  # noqa: PLC0415

    sent = event(id=str(uuid4()))
    answers: list[httpx.Response] = []
    threads = [threading.Thread(target=lambda: answers.append(post(api, sent))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} <= {202, 503}
    assert sum(len(answer.json().get("accepted", ())) for answer in answers) == 1
    assert committed.execute("SELECT count(*) FROM job_outbox WHERE id = %s", [sent["id"]]).fetchone() == (1,)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
EVENTS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("task", "payload", "dedupe_key", "not_before", "id"), JSON)
) | st.builds(event, payload=JSON, dedupe_key=st.none() | st.text(max_size=5))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(EVENTS | JSON, max_size=4))
def test_no_body_is_too_strange_for_an_answer(api: ApiServer, content: Any):
    answer = post(api, content)
    assert answer.status_code in {202, 422}
    places = [one["index"] for part in ("accepted", "errors") for one in answer.json().get(part, [])]
    assert sorted(places + answer.json().get("duplicates", [])) == list(range(len(content)))
