"""Whatever is sent, the answer is one of those documented, and never our error."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.bodies import new_attempt

FIELDS = ("id", "user_id", "question_id", "answer", "attempted_at", "lesson_id", "tryout_session_id", "time_spent_ms")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),  # NaN and halves of surrogate pairs, too
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=15,
)
DATES = st.datetimes().map(lambda at: at.isoformat() + "Z") | st.from_regex(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([.]\d{1,9})?([+-]\d\d:\d\d|Z)?", fullmatch=True
)
VALUES = JSON | st.uuids().map(str) | DATES
ATTEMPTS = st.builds(
    lambda changes, removed: {
        name: value for name, value in {**new_attempt(), **changes}.items() if name not in removed
    },
    st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=8), VALUES, max_size=3),
    st.sets(st.sampled_from(FIELDS), max_size=2),
)
BODIES = st.one_of(
    st.binary(max_size=200),
    JSON.map(lambda value: json.dumps(value).encode()),
    ATTEMPTS.map(lambda attempt: json.dumps(attempt).encode()),
    st.lists(ATTEMPTS | JSON, max_size=6).map(lambda items: json.dumps(items).encode()),
    st.lists(ATTEMPTS, min_size=1, max_size=3).map(
        lambda items: json.dumps(items, ensure_ascii=False).encode(errors="surrogatepass")
    ),
)
FUZZ = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZ
@given(body=BODIES)
def test_no_body_makes_an_error_of_ours(api, body):
    answer = api.post(body)
    assert answer.status_code in {202, 400, 413, 422}, answer.text
    if answer.status_code == 202:
        told = answer.json()
        assert told["accepted"] or told["duplicates"]
        for error in told["errors"]:
            assert error["message"]
    else:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"]


@FUZZ
@given(items=st.lists(ATTEMPTS, min_size=1, max_size=5))
def test_each_item_is_accepted_or_a_duplicate_or_has_an_error(api, items):
    good = new_attempt()
    told = api.post(json.dumps([*items, good]).encode()).json()
    with_errors = {error["index"] for error in told["errors"]}
    assert len(told["accepted"]) + len(told["duplicates"]) + len(with_errors) == len(items) + 1
    assert good["id"] in told["accepted"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    authorization=st.none() | st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60),
    content_type=st.none() | st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40),
)
def test_no_header_makes_an_error_of_ours(api, authorization, content_type):
    headers = {"Authorization": authorization, "Content-Type": content_type}
    sent = {name: value for name, value in headers.items() if value is not None}
    answer = api.client.post("/v1/attempts", json=new_attempt(), headers=sent)
    assert answer.status_code in {202, 401, 415}


@pytest.mark.parametrize(
    "path", ["/v1/attempts/%00", "/v1/attempts/%ff", "/v1/users/x/due-queue", "//", "/v1//x?%ff=%00"]
)
def test_no_path_makes_an_error_of_ours(api, path):
    assert api.client.get(path).status_code in {404, 405, 422}
