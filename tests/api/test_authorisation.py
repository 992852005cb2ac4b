"""Who may call what: every route of the OpenAPI document declares it, and learners reach their own rows alone."""

import json
import re
from collections.abc import Iterator
from typing import Any, get_args
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from litestar import get

from tests.api.accounts import bearer, make_account, make_token
from tests.api.bodies import new_attempt
from tests.api.server import ApiServer
from tests.factories import make_card, make_question_set, make_tryout_session
from tests.factories_operations import make_subscription
from tests.support.settings import forget_settings
from worker.api.auth import OPEN
from worker.api.permissions import UndeclaredError, declared
from worker.models.users import Role
from worker.security.permissions import PERMISSIONS
from worker.security.principal import of_role

OPEN_ROUTES = {"GET /v1/health", "GET /v1/health/ready", "POST /v1/sessions", "POST /v1/webhooks/{gateway}"}
NOTHING = str(UUID(int=1))


@pytest.fixture(scope="module", autouse=True)
def _operators_database(committed_url: str) -> Iterator[None]:
    """Operators' routes ask the process's own database."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ELP_DATABASE_URL", committed_url)
        forget_settings()
        yield
    forget_settings()


@pytest.fixture(scope="module")
def routes(api: ApiServer) -> dict[str, dict[str, Any]]:
    """Every operation of the document, by method and path."""
    document = api.client.get("/docs/openapi.json").json()
    return {
        f"{method.upper()} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


def test_every_route_of_the_document_declares_its_permission(routes):
    without = {name for name, operation in routes.items() if operation.get("x-permission") not in PERMISSIONS}
    assert without == OPEN_ROUTES, 'add permission="…" beside the path (worker/api/permissions.py)'


def test_every_guarded_route_documents_that_it_may_refuse(routes):
    for name, operation in routes.items():
        if name not in OPEN_ROUTES:
            assert {"401", "403", "429", "503"} <= operation["responses"].keys(), name


def test_no_route_of_the_document_answers_without_a_token(api, routes):
    for name, answer in calls(api, routes, {"Authorization": ""}, NOTHING):
        assert name in OPEN_ROUTES or answer.status_code == 401, name


def test_route_that_declares_nothing_or_nonsense_stops_the_start_with_the_remedy():
    @get("/v1/undeclared", sync_to_thread=False)
    def undeclared() -> None: ...

    @get("/v1/misspelt", permission="study.reed", sync_to_thread=False)
    def misspelt() -> None: ...

    @get("/v1/both", permission="study.read", opt={OPEN: True}, sync_to_thread=False)
    def both() -> None: ...

    with pytest.raises(UndeclaredError) as caught:
        declared([undeclared, misspelt, both])
    told = str(caught.value).splitlines()
    assert len(told) == 3
    assert "GET /v1/undeclared" in told[0]
    assert 'add permission="…"' in told[0]
    assert "study.reed" in told[1]


@pytest.mark.parametrize("role", get_args(Role))
def test_role_is_let_in_where_the_table_says_and_nowhere_else(api, routes, committed, role):
    user = make_account(committed, role=role)
    _, token = make_token(committed, *PERMISSIONS, user_id=user)
    principal = of_role(role, user)
    for name, answer in calls(api, routes, bearer(token), str(user)):
        if name in {*OPEN_ROUTES, "DELETE /v1/sessions"}:  # logging out takes a session: see its own tests
            continue
        reach = principal.reach(routes[name]["x-permission"])
        assert (answer.status_code == 403) == (reach is None), f"{name}: {answer.status_code} {answer.text}"


def test_learner_reaches_nobody_elses_rows_by_any_route_that_takes_an_id(api, routes, committed):
    learner, other = make_account(committed), make_account(committed)
    _, token = make_token(committed, *PERMISSIONS, user_id=learner)
    ids = rows_of(api, committed, other)
    taking_ids = {name for name in routes if "{" in name or "requestBody" in routes[name]} - OPEN_ROUTES
    before = snapshot(committed, other)
    for name, answer in calls(api, routes, bearer(token), str(other), ids):
        if name in taking_ids:
            assert answer.status_code in {403, 404, 422}, f"{name}: {answer.status_code} {answer.text}"
            assert "Rahayu" not in answer.text
            assert answer.status_code != 422 or name == "POST /v1/attempts", name
    assert snapshot(committed, other) == before


def test_foreign_and_missing_rows_are_answered_alike(api, routes, committed):
    learner, other = make_account(committed), make_account(committed)
    _, token = make_token(committed, *PERMISSIONS, user_id=learner)
    foreign = calls(api, routes, bearer(token), str(other), rows_of(api, committed, other))
    missing = calls(api, routes, bearer(token), str(uuid4()), dict.fromkeys(rows_of(api, committed, other), NOTHING))
    for (name, one), (_, another) in zip(foreign, missing, strict=True):
        if name in OPEN_ROUTES:
            continue
        assert one.status_code == another.status_code, name
        if one.status_code in {403, 404}:
            assert one.json()["detail"] == another.json()["detail"], name


def test_own_rows_are_reached_by_the_same_routes(api, routes, committed):
    learner = make_account(committed)
    _, token = make_token(committed, *PERMISSIONS, user_id=learner)
    ids = rows_of(api, committed, learner)
    reached = {
        name
        for name, answer in calls(api, routes, bearer(token), str(learner), ids)
        if answer.status_code not in {403, 404}
    }
    assert {
        "GET /v1/users/{user_id}/preferences",
        "PATCH /v1/users/{user_id}/preferences",
        "GET /v1/users/{user_id}/statistics",
        "GET /v1/users/{user_id}/cards/{card_id}/preview",
        "POST /v1/users/{user_id}/cards/{card_id}/actions",
        "GET /v1/attempts/{attempt_id}",
        "GET /v1/subscriptions/{subscription_id}",
        "POST /v1/attempts",
        "GET /v1/tryouts/{tryout_id}",
        "GET /v1/tryouts/{tryout_id}/result.html",
        "POST /v1/tryouts/{tryout_id}/submit",
    } <= reached


def rows_of(api: ApiServer, connection: psycopg.Connection[Any], user_id: UUID) -> dict[str, str]:
    """Make rows of an account that routes are asked for by id."""
    attempt = new_attempt(user_id=str(user_id))
    assert api.post(attempt).status_code == 202
    question_set = make_question_set(connection, status="published")
    sitting = make_tryout_session(connection, user_id=user_id, question_set_id=question_set)
    card = make_card(connection, user_id=user_id)
    subscription = make_subscription(connection, user_id=user_id)
    return {
        "attempt_id": attempt["id"],
        "tryout_id": str(sitting),
        "card_id": str(card),
        "set": str(question_set),
        "subscription_id": str(subscription),
    }


def snapshot(connection: psycopg.Connection[Any], user_id: UUID) -> list[Any]:
    tables = ("users WHERE id", "user_preferences WHERE user_id", "srs_cards WHERE user_id")
    rows = [
        connection.execute(f"SELECT * FROM {table} = %s ORDER BY 1".encode(), (user_id,)).fetchall()
        for table in (*tables, "tryout_sessions WHERE user_id", "attempt_inbox WHERE user_id")
    ]
    return [*rows, connection.execute("SELECT count(*) FROM attempt_inbox").fetchone()]


def calls(
    api: ApiServer, routes: dict[str, Any], headers: dict[str, str], user_id: str, ids: dict[str, str] | None = None
) -> Iterator[tuple[str, httpx.Response]]:
    """Call every route once, about an account, with a body that its schema takes."""
    ids = {"user_id": user_id, **(ids or {})}
    for name in routes:
        method, path = name.split(" ")
        address = re.sub(r"{(\w+)}", lambda found: ids.get(found[1], _other(found[1])), path)
        content = json.dumps(body_of(path, user_id, ids)) if method in {"POST", "PUT", "PATCH"} else None
        yield (
            name,
            api.client.request(
                method, address, content=content, headers={"Content-Type": "application/json", **headers}
            ),
        )


def _other(parameter: str) -> str:
    return {"number": "0", "name": "no.such.job", "session_id": "0" * 16}.get(parameter, NOTHING)


def body_of(path: str, user_id: str, ids: dict[str, str]) -> Any:
    """A body that the route takes, by the end of its path; others take an empty one."""
    answer = {"question_id": NOTHING, "answer": None, "answered_at": "2026-03-01T09:00:00Z"}
    bodies: dict[str, Any] = {
        "/v1/attempts": new_attempt(user_id=user_id),
        "/v1/events": {"task": "no.such.task"},
        "/v1/tryouts": {"id": str(uuid4()), "user_id": user_id, "question_set_id": ids.get("set", NOTHING)},
        "/answers": {"user_id": user_id, "answers": [answer]},
        "/start": {"user_id": user_id},
        "/submit": {"user_id": user_id},
        "/preferences": {"daily_goal": 7},
        "/actions": {"action": "suspend"},
        "/password": {"present": "not the present one", "replacement": "another password"},
        "/v1/outbox/retry": {"ids": []},
        "/v1/outbox/discard": {"ids": []},
    }
    return next((body for end, body in bodies.items() if path.endswith(end)), {})
