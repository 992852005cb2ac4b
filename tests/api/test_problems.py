import http.client
import json

import pytest
from litestar import get
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from tests.api.bodies import new_attempt
from tests.api.server import TOKEN, ApiServer
from worker.ids import uuid7

NOBODY = "01936b2e-7a3c-7d11-8f00-0123456789ab"
"""An id that nothing has; fixed, since every process of a parallel run must name its tests alike."""


def assert_is_problem(answer, status, slug):
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == f"urn:elp:problem:{slug}"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert problem["instance"].startswith("/")
    return problem


def test_an_unknown_address_is_not_found(api):
    assert_is_problem(api.client.get("/v2/attempts"), 404, "not-found")
    assert_is_problem(api.client.get("/docs/assets/secrets.txt"), 404, "not-found")


def test_a_method_that_is_not_allowed_comes_with_those_that_are(api):
    answer = api.client.get("/v1/attempts")
    assert_is_problem(answer, 405, "method-not-allowed")
    assert "POST" in answer.headers["allow"]
    assert_is_problem(api.client.put("/v1/attempts", json={}), 405, "method-not-allowed")
    assert_is_problem(api.client.delete(f"/v1/attempts/{uuid7()}"), 405, "method-not-allowed")


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/attempts"), ("GET", f"/v1/attempts/{NOBODY}"), ("GET", f"/v1/users/{NOBODY}/due-queue")],
)
@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", "Bearer é"],
)
def test_without_the_token_every_guarded_route_is_closed(api, method, path, authorization):
    connection = http.client.HTTPConnection("127.0.0.1", api.port)
    headers = {} if authorization is None else {"Authorization": authorization.encode("latin-1")}
    connection.request(method, path, body=json.dumps(new_attempt()), headers=headers)
    response = connection.getresponse()
    assert response.status == 401
    assert response.headers["www-authenticate"].startswith('Bearer realm="elp"')
    assert json.loads(response.read())["type"] == "urn:elp:problem:unauthorized"


@pytest.mark.parametrize("authorization", [f"Bearer {TOKEN}", f"bearer {TOKEN}", f"BEARER  {TOKEN}"])
def test_the_scheme_is_recognised_whatever_its_case(api, authorization):
    headers = {"Authorization": authorization}
    assert api.client.post("/v1/attempts", json=new_attempt(), headers=headers).status_code == 202
    assert api.client.get(f"/v1/attempts/{uuid7()}", headers=headers).status_code == 404


@pytest.mark.parametrize("path", ["/v1/health", "/v1/health/ready", "/docs", "/docs/openapi.json"])
def test_health_and_documentation_need_no_token(api, path):
    assert api.client.get(path, headers={"Authorization": ""}).status_code == 200


def test_a_client_may_name_its_request(api):
    for path in ("/v1/health", "/v1/nowhere"):
        answer = api.client.get(path, headers={"X-Request-ID": "trace-7:a.b"})
        assert answer.headers["x-request-id"] == "trace-7:a.b"
    answer = api.post(new_attempt(), **{"X-Request-ID": "trace-8"})
    assert answer.headers["x-request-id"] == "trace-8"


@pytest.mark.parametrize("name", ["", "x" * 65, "with space", '"quoted"', "new\tline"])
def test_a_request_id_that_could_harm_a_log_is_replaced(api, name):
    answer = api.client.get("/v1/health", headers={"X-Request-ID": name})
    assert answer.headers["x-request-id"] not in {name, ""}


def test_each_answer_has_a_request_id_of_its_own(api):
    ids = {api.client.get("/v1/health").headers["x-request-id"] for _ in range(5)}
    ids |= {api.post(new_attempt()).headers["x-request-id"] for _ in range(5)}
    assert len(ids) == 10


@get("/v1/broken", sync_to_thread=False)
def broken() -> None:
    raise RuntimeError("the password is hunter2")


def test_an_error_of_ours_tells_nothing_internal_and_is_logged_with_its_request(committed_url):
    with ApiServer(committed_url, routes=[broken]) as api, capture_logs(processors=[merge_contextvars]) as logged:
        answer = api.client.get("/v1/broken")
    problem = assert_is_problem(answer, 500, "internal")
    assert "hunter2" not in answer.text
    assert problem["request_id"] in problem["detail"]
    (line,) = [line for line in logged if line["event"] == "request_failed"]
    assert line["request_id"] == problem["request_id"]
    assert "hunter2" in str(line["exc_info"])


def test_an_error_of_ours_while_accepting_tells_nothing_internal(committed_url, monkeypatch, caplog):
    async def fail(*_):
        raise RuntimeError("the password is hunter2")

    with ApiServer(committed_url) as api:
        monkeypatch.setattr(api.app.inbox, "accept", fail)
        answer = api.post(new_attempt())
    assert_is_problem(answer, 500, "internal")
    assert "hunter2" not in answer.text
    assert "hunter2" in caplog.text
