import re

import pytest
from litestar.routes import HTTPRoute

from tests.api.bodies import new_attempt
from worker.api import documentation


@pytest.fixture(scope="module")
def document(api):
    return api.client.get("/docs/openapi.json").json()


def test_every_route_is_documented(api, document):
    paths = {
        re.sub(r":\w+", "", route.path)
        for route in api.app.routes
        if isinstance(route, HTTPRoute) and not route.path.startswith("/docs")
    }
    assert set(document["paths"]) == paths
    assert "post" in document["paths"]["/v1/attempts"]


def test_every_route_but_health_and_login_needs_the_bearer_token(document):
    assert document["components"]["securitySchemes"]["bearer"] == {"type": "http", "scheme": "bearer"}
    assert document["security"] == [{"bearer": []}]
    for path, item in document["paths"].items():
        for operation in item.values():
            is_open = path.startswith(("/v1/health", "/v1/webhooks/")) or operation["operationId"] == "login"
            assert operation.get("security", document["security"]) == ([{}] if is_open else [{"bearer": []}])


def test_every_error_is_documented_as_problem_details(document):
    for path, item in document["paths"].items():
        if path.startswith("/v1/health"):
            continue
        for operation in item.values():
            errors = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
            assert {"401", "503"} <= errors.keys()
            for answer in errors.values():
                assert list(answer["content"]) == ["application/problem+json"]
    assert set(document["paths"]["/v1/attempts"]["post"]["responses"]) == {
        "202",
        "400",
        "401",
        "403",
        "413",
        "415",
        "422",
        "429",
        "503",
    }


def test_the_documented_fields_of_an_attempt_are_those_that_are_read(api, document):
    content = document["paths"]["/v1/attempts"]["post"]["requestBody"]["content"]["application/json"]
    one, several = content["schema"]["oneOf"]
    assert several["items"] == one
    assert set(one["required"]) == {"id", "user_id", "question_id", "answer", "attempted_at"}
    whole = new_attempt(lesson_id=None, tryout_session_id=None)
    assert set(one["properties"]) == set(whole)
    assert api.post(whole).status_code == 202


def test_the_documented_examples_are_accepted(api, document):
    content = document["paths"]["/v1/attempts"]["post"]["requestBody"]["content"]["application/json"]
    for example in content["examples"].values():
        assert api.post(example["value"]).status_code == 202


def test_the_page_loads_nothing_from_elsewhere(api):
    page = api.client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(addresses) == 3
    for address in [*addresses, "/docs/openapi.json"]:
        assert address.startswith("/docs/")
        assert api.client.get(address).status_code == 200
    assert "https://" not in page.text


def test_the_page_names_the_remedy_where_its_files_are_not_installed(api, monkeypatch):
    monkeypatch.setattr(documentation, "assets_folder", lambda: None)
    assert "elp-worker[docs]" in api.client.get("/docs").text
    assert api.client.get("/docs/assets/swagger-ui.css").status_code == 404
