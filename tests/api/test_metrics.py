import re

import httpx

from tests.api.bodies import new_attempt


def sample(text: str, name: str) -> float:
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def scrape(api) -> str:
    answer = api.client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return answer.text


def test_requests_are_counted_by_method_route_and_status(api):
    accepted = 'elp_api_request_duration_seconds_count{method="POST",route="/v1/attempts",status="202"}'
    refused = 'elp_api_request_duration_seconds_count{method="POST",route="/v1/attempts",status="422"}'
    unknown = 'elp_api_request_duration_seconds_count{method="GET",route="/v1/attempts/{attempt_id}",status="404"}'
    before = scrape(api)
    for _ in range(3):
        assert api.post(new_attempt()).status_code == 202
    assert api.post({"id": "x"}).status_code == 422
    assert api.client.get("/v1/attempts/019aaf0c-1b2c-7d3e-8f4a-5b6c7d8e9f0a").status_code == 404
    after = scrape(api)
    assert [sample(after, name) - sample(before, name) for name in (accepted, refused, unknown)] == [3, 1, 1]
    stored = "elp_attempts_accepted_total"
    assert sample(after, stored) - sample(before, stored) == 3


def test_addresses_that_clients_make_up_are_one_route(api):
    for name in ("a", "b", "c"):
        assert api.client.get(f"/nothing/{name}").status_code == 404
    api.client.request("BREW", "/nothing")
    text = scrape(api)
    assert "nothing" not in text
    assert "BREW" not in text
    assert sample(text, 'elp_api_request_duration_seconds_count{method="GET",route="none",status="404"}') >= 3


def test_metrics_need_the_token(api):
    assert httpx.get(f"{api.url}/metrics").status_code == 401


def test_platform_is_shown_once(api):
    text = scrape(api)
    assert sample(text, "elp_database_up") == 1
    assert text.count("# TYPE elp_job_lag_seconds ") == 1
