"""What every answer tells browsers, and that no web page elsewhere may call the API unless it is named."""

import base64
import hashlib
import re

import pytest

from tests.api.bodies import new_attempt
from tests.api.server import ApiServer

SECURITY = {"x-content-type-options": "nosniff", "cache-control": "no-store"}
PAGE = {
    **SECURITY,
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}
ORIGIN = "https://app.example.org"


@pytest.mark.parametrize("path", ["/v1/health", "/v1/events", "/v1/nowhere", "/metrics", "/v1/users/x/preferences"])
def test_every_answer_tells_browsers_to_guess_frame_and_keep_nothing(api, path):
    headers = api.client.get(path).headers
    assert {name: headers.get(name) for name in PAGE} == PAGE
    assert "server" not in headers
    assert "strict-transport-security" not in headers  # it came over plain HTTP


def test_answers_before_the_router_do_so_too(api):
    for answer in (api.post(new_attempt()), api.post(b"nonsense"), api.post(new_attempt(), Authorization="")):
        assert {name: answer.headers.get(name) for name in SECURITY} == SECURITY


def test_page_of_the_documentation_runs_its_own_script_alone(api):
    answer = api.client.get("/docs")
    policy = answer.headers["content-security-policy"]
    (script,) = re.findall(r"<script>(.*?)</script>", answer.text, re.DOTALL)
    assert f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe-inline" not in re.search(r"script-src[^;]*", policy)[0]


def test_no_web_page_may_call_the_api_unless_it_is_named(api, committed_url):
    preflight = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    for answer in (
        api.client.get("/v1/health", headers={"Origin": ORIGIN}),
        api.post(new_attempt(), Origin=ORIGIN),
        api.client.options("/v1/attempts", headers=preflight),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control-")]
    with ApiServer(committed_url, cors_origins=f"{ORIGIN}, https://other.example.org") as named:
        allowed = named.client.options("/v1/attempts", headers=preflight)
        assert allowed.headers["access-control-allow-origin"] == ORIGIN
        answer = named.post(new_attempt(), Origin=ORIGIN)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (202, ORIGIN)
        stranger = named.post(new_attempt(), Origin="https://evil.example.org")
        assert "access-control-allow-origin" not in stranger.headers
