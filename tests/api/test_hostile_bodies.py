"""Bodies meant to do harm: bombs, injections in every text, floods of fields. No error of ours, nothing carried out."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.api.accounts import COST, make_account
from tests.api.bodies import new_attempt
from tests.api.server import ApiServer
from tests.api.test_authorisation import body_of, rows_of
from tests.support.settings import forget_settings

BOMBS = {
    "deep lists": b"[" * 200_000 + b"]" * 200_000,
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "open lists": b"[" * 1_000_000,
    "a long number": b"1" * 1_000_000,
    "a huge exponent": b"1e999999999",
    "a long text": b'"' + b"x" * 1_000_000 + b'"',
    "many keys": json.dumps({f"k{number}": number for number in range(50_000)}).encode(),
    "one key often": b"{" + b",".join(b'"a":1' for _ in range(100_000)) + b"}",
    "halves of characters": b'"' + b"\\ud800" * 10_000 + b'"',
    "no UTF-8": b'"' + b"\xff\xfe" * 1_000 + b'"',
    "zeros": b"\0" * 10_000,
}
INJECTIONS = (
    "'; DROP TABLE users; --",
    "' OR '1'='1",
    "1); DELETE FROM users; --",
    "$1 %s %(id)s :id ${id} {{7*7}} {0}",
    "<script>alert(1)</script>",
    "../../../../etc/passwd",
    "\r\nSet-Cookie: a=b",
    "\\x00\\u0000",
    "\u202e\ufeff\u0000",
    "${jndi:ldap://127.0.0.1/a}",
    "*)(uid=*))(|(uid=*",
    "' AND pg_sleep(30) --",
)


@pytest.fixture(scope="module")
def served(committed_url: str) -> Iterator[ApiServer]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ELP_DATABASE_URL", committed_url)
        forget_settings()
        with ApiServer(committed_url, password_cost=COST) as server:
            yield server
    forget_settings()


@pytest.fixture(scope="module")
def writing(served: ApiServer) -> list[tuple[str, str]]:
    """Method and path of every operation that takes a body."""
    document = served.client.get("/docs/openapi.json").json()
    return [
        (method.upper(), path)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if "requestBody" in operation
    ]


@pytest.fixture
def ids(served: ApiServer, committed: Any) -> dict[str, str]:
    user = make_account(committed)
    return {"user_id": str(user), "name": "jobs.prune", **rows_of(served, committed, user)}


def is_closed(answer: httpx.Response, path: str) -> bool:
    """Say whether it is one of the routes that are closed without Redis."""
    return answer.status_code == 503 and path.endswith(("/sessions", "/password"))


def address(path: str, ids: dict[str, str]) -> str:
    return path.replace(":uuid", "").format(**ids)


@pytest.mark.parametrize("bomb", BOMBS)
def test_bomb_is_refused_by_every_route_that_takes_a_body(served, writing, ids, bomb: str):
    for method, path in writing:
        answer = served.client.request(
            method, address(path, ids), content=BOMBS[bomb], headers={"Content-Type": "application/json"}
        )
        assert answer.status_code in {400, 413, 422} or is_closed(answer, path), (
            f"{method} {path}: {answer.status_code} {answer.text[:300]}"
        )
        assert answer.headers["content-type"] == "application/problem+json"
        assert len(answer.content) < 20_000


def texts(value: Any, found: str) -> Iterator[Any]:
    """Yield a body with `found` in place of each of its texts, one at a time, and as an answer of its own."""
    if isinstance(value, dict):
        for name, inner in value.items():
            for changed in texts(inner, found):
                yield {**value, name: changed}
        yield {**value, found: found}
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            for changed in texts(inner, found):
                yield [*value[:place], changed, *value[place + 1 :]]
    elif isinstance(value, str) or value is None:
        yield found


@pytest.mark.parametrize("injection", INJECTIONS, ids=range(len(INJECTIONS)))
def test_injection_in_any_text_of_any_body_does_nothing(served, writing, ids, committed, injection: str):
    before = committed.execute("SELECT count(*) FROM users").fetchone()
    for method, path in writing:
        for body in texts(body_of(path, ids["user_id"], ids), injection):
            answer = served.client.request(method, address(path, ids), json=body)
            assert answer.status_code < 500 or is_closed(answer, path), (
                f"{method} {path} {body}: {answer.status_code} {answer.text[:300]}"
            )
            assert "set-cookie" not in answer.headers
    assert committed.execute("SELECT count(*) FROM users").fetchone() == before


@pytest.mark.parametrize("injection", INJECTIONS, ids=range(len(INJECTIONS)))
def test_injection_in_any_address_does_nothing(served, ids, committed, injection: str):
    before = committed.execute("SELECT count(*) FROM users").fetchone()
    user = ids["user_id"]
    for path in ("/v1/events", "/v1/job-runs", f"/v1/users/{user}/due-queue", f"/v1/users/{user}/statistics"):
        for name in ("after", "kind", "job", "date", "days", "limit", injection):
            assert served.client.get(path, params={name: injection}).status_code in {200, 404, 422}
    for path in ("/v1/users/{}/preferences", "/v1/attempts/{}", "/v1/jobs/{}/pause", "/v1/users/x/sessions/{}"):
        answer = served.client.request("GET", path.format(quote(injection, safe="")))
        assert answer.status_code in {404, 405, 422}
    assert committed.execute("SELECT count(*) FROM users").fetchone() == before


def test_answer_with_an_injection_is_kept_as_it_was_sent(served, committed):
    for injection in INJECTIONS:
        if "\0" in injection:
            continue
        attempt = new_attempt(answer={"text": injection})
        assert served.post(attempt).status_code == 202
        row = committed.execute("SELECT answer FROM attempt_inbox WHERE id = %s", (attempt["id"],)).fetchone()
        assert row[0] == {"text": injection}
