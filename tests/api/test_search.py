"""Search over HTTP: answers, and what hostile requests get."""

import socket
from contextlib import suppress

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.server import TOKEN
from tests.factories import make_lesson, make_question
from worker.search.refresh import refresh_batch


@pytest.fixture(scope="module")
def content(api, committed_url):
    with psycopg.connect(committed_url) as connection:
        make_question(connection, stem="Zebras eat grass", explanation="Because of hay", level="A2")
        make_question(connection, stem="Zebras sleep", type="short_answer", level="B1", topic="Zoo")
        make_lesson(connection, title="Zebras", title_id="Zebra")
        refresh_batch(connection, limit=10_000)


def search(api, **query):
    answer = api.client.get("/v1/search", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_search_answers_with_hits_facets_and_what_was_searched_for(api, content):
    found = search(api, q="zebra")
    assert (found["total"], found["is_total_exact"], found["matching"], found["next"]) == (2, True, "all", None)
    assert {facet["value"] for facet in found["facets"]["level"]} == {"A2", "B1"}
    assert {hit["highlight"] for hit in found["hits"]} == {"<mark>Zebras</mark> eat grass", "<mark>Zebras</mark> sleep"}
    assert "explanation" not in str(found)
    assert search(api, q="zebra", kind="lesson")["hits"][0]["title_id"] == "Zebra"


def test_filters_pages_and_audiences_are_taken_from_the_query(api, content):
    assert search(api, q="zebra", level=["A2"])["total"] == 1
    assert search(api, q="zebra", level=["A2", "B1"], type="short_answer", topic="Zoo")["total"] == 1
    first = search(api, q="zebra", limit=1)
    second = search(api, q="zebra", limit=1, after=first["next"])
    assert first["hits"][0]["id"] != second["hits"][0]["id"]
    assert search(api, q="hay")["total"] == 0
    assert search(api, q="hay", audience="editor", status="published")["total"] == 1
    assert search(api, q="zeb", as_you_type="true")["total"] == 2


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"q": "a" * 1_001}, "q"),
        ({"q": '"' * 20_000}, "q"),
        ({"q": "zebra", "after": "nonsense"}, "after"),
        ({"q": "zebra", "limit": 0}, "limit"),
        ({"q": "zebra", "limit": 101}, "limit"),
        ({"q": "zebra", "level": "C2"}, "level"),
        ({"q": "zebra", "kind": "user"}, "kind"),
        ({"q": "zebra", "status": "draft"}, "status"),
        ({"q": "zebra", "kind": "lesson", "type": "ordering"}, "type"),
        ({"q": "zebra", "topic": "a\0"}, "topic"),
        ({"q": "zebra", "topic": "a" * 501}, "topic"),
        ({"q": "zebra", "topic": ["a"] * 21}, "topic"),
    ],
)
def test_a_wrong_parameter_is_named(api, content, query, field):
    answer = api.client.get("/v1/search", params=query)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == field


@pytest.mark.parametrize(
    "q", ["", "the of and", '"', "\0", "\0zzz", "-zebra", "%", "' OR 1=1 --", "((((", "zz:*&|!<->"]
)
def test_a_term_without_sense_finds_nothing(api, content, q):
    assert search(api, q=q)["hits"] == []


def test_a_search_for_nothing_is_refused(api, content):
    assert api.client.get("/v1/search").status_code == 422


def test_a_term_of_200_kilobytes_is_refused(api, content):
    with socket.create_connection(("127.0.0.1", api.port), timeout=60) as raw:
        lines = [f"GET /v1/search?q={'a' * 200_000} HTTP/1.1", "Host: x", f"Authorization: Bearer {TOKEN}"]
        answer = b""
        with suppress(ConnectionError):  # a server may hang up on it before it was sent
            raw.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode())
            answer = raw.makefile("rb").readline()
    assert not answer or answer.split()[1] in {b"400", b"414", b"422", b"431"}


@settings(max_examples=40)
@given(q=st.text(max_size=200), kind=st.sampled_from(["question", "lesson"]), as_you_type=st.booleans())
def test_any_term_is_answered(api, content, q, kind, as_you_type):
    safe = q.encode("utf-8", "replace").decode()
    answer = api.client.get("/v1/search", params={"q": safe, "kind": kind, "as_you_type": str(as_you_type).lower()})
    assert answer.status_code == 200


def test_search_needs_the_token(api):
    assert api.client.get("/v1/search", params={"q": "x"}, headers={"Authorization": "Bearer no"}).status_code == 401
