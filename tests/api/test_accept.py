import json
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from tests.api.bodies import new_attempt, without
from tests.api.server import TOKEN, ApiServer
from tests.factories import make_attempt, make_rejection
from worker.clock import now
from worker.ids import uuid7


def stored(committed, attempt_id):
    return committed.execute(
        "SELECT user_id, question_id, answer::text, time_spent_ms, attempted_at, lesson_id, source, lane"
        " FROM attempt_inbox WHERE id = %s",
        [attempt_id],
    ).fetchone()


def errors_of(answer):
    return [(error["index"], error["field"]) for error in answer.json()["errors"]]


def test_one_attempt_is_accepted_and_committed_as_it_was_sent(api, committed):
    attempt = new_attempt(lesson_id=str(uuid4()), attempted_at="2026-11-20T08:15:30.123456+07:00")
    body = json.dumps(attempt).replace('{"choice": "b"}', '{ "choice":"b" ,"note":"caf\\u00e9"}').encode()
    answer = api.post(body)
    assert answer.status_code == 202
    assert answer.json() == {"accepted": [attempt["id"]], "duplicates": [], "errors": []}
    user_id, question_id, text, time_spent_ms, attempted_at, lesson_id, source, lane = stored(committed, attempt["id"])
    assert (str(user_id), str(question_id), str(lesson_id)) == (
        attempt["user_id"],
        attempt["question_id"],
        attempt["lesson_id"],
    )
    assert text == '{ "choice":"b" ,"note":"caf\\u00e9"}'
    assert time_spent_ms == 8_120
    assert attempted_at.isoformat() == "2026-11-20T01:15:30.123456+00:00"
    assert (source, lane) == ("api", UUID(attempt["user_id"]).int & 15)


def test_optional_fields_may_be_missing_or_null(api, committed):
    attempts = [
        without(new_attempt(), "time_spent_ms"),
        new_attempt(time_spent_ms=None, lesson_id=None, tryout_session_id=None),
    ]
    assert api.post(attempts).json()["accepted"] == [attempt["id"] for attempt in attempts]
    assert stored(committed, attempts[0]["id"])[3] is None


def test_a_list_is_accepted_in_its_order(api):
    attempts = [new_attempt() for _ in range(300)]
    answer = api.post(attempts)
    assert answer.status_code == 202
    assert answer.json()["accepted"] == [attempt["id"] for attempt in attempts]


def test_ids_are_answered_in_canonical_form_whatever_form_they_came_in(api):
    attempt_id = uuid7()
    answer = api.post(new_attempt(id=attempt_id.hex.upper()))
    assert answer.json()["accepted"] == [str(attempt_id)]


def test_an_attempt_sent_again_is_a_duplicate(api, committed):
    attempt = new_attempt()
    api.post(attempt)
    answer = api.post(attempt)
    assert answer.status_code == 202
    assert answer.json() == {"accepted": [], "duplicates": [attempt["id"]], "errors": []}
    assert committed.execute("SELECT count(*) FROM attempt_inbox WHERE id = %s", [attempt["id"]]).fetchone() == (1,)


def test_an_attempt_twice_in_one_request_is_accepted_once(api):
    first, other = new_attempt(), new_attempt()
    answer = api.post([first, other, first, first])
    assert answer.json() == {
        "accepted": [first["id"], other["id"]],
        "duplicates": [first["id"], first["id"]],
        "errors": [],
    }


def test_an_attempt_that_was_graded_or_rejected_is_a_duplicate(api, committed):
    graded, rejected = new_attempt(), new_attempt()
    user_id, question_id = committed.execute(
        "SELECT user_id, question_id FROM question_attempts WHERE id = %s",
        [make_attempt(committed, id=graded["id"])],
    ).fetchone()
    graded |= {"user_id": str(user_id), "question_id": str(question_id)}
    make_rejection(committed, id=rejected["id"], user_id=rejected["user_id"], question_id=rejected["question_id"])
    answer = api.post([graded, rejected])
    assert answer.json() == {"accepted": [], "duplicates": [graded["id"], rejected["id"]], "errors": []}
    assert stored(committed, graded["id"]) is None


@pytest.mark.parametrize("field", ["user_id", "question_id"])
def test_an_id_that_another_attempt_has_is_refused(api, committed, field):
    first = new_attempt()
    api.post(first)
    again = first | {field: str(uuid4())}
    answer = api.post([again, new_attempt()])
    assert answer.status_code == 202
    assert errors_of(answer) == [(0, "id")]
    assert "already used" in answer.json()["errors"][0]["message"]
    assert api.post(again).status_code == 422
    assert str(stored(committed, first["id"])[0]) == first["user_id"]


def test_an_id_taken_twice_in_one_request_is_refused_the_second_time(api):
    first = new_attempt()
    answer = api.post([first, new_attempt(id=first["id"])])
    assert answer.json()["accepted"] == [first["id"]]
    assert errors_of(answer) == [(1, "id")]


def test_the_same_attempts_sent_ten_times_at_once_are_stored_once(api, committed):
    attempts = [new_attempt() for _ in range(50)]
    with ThreadPoolExecutor(10) as senders:
        answers = list(senders.map(lambda _: api.post(attempts).json(), range(10)))
    accepted = [attempt_id for answer in answers for attempt_id in answer["accepted"]]
    assert sorted(accepted) == sorted(attempt["id"] for attempt in attempts)
    assert all(len(answer["accepted"]) + len(answer["duplicates"]) == 50 for answer in answers)
    ids = [attempt["id"] for attempt in attempts]
    assert committed.execute("SELECT count(*) FROM attempt_inbox WHERE id = ANY(%s)", [ids]).fetchone() == (50,)


def test_clients_that_hang_up_stop_nobody_else(api, committed):
    gone = [new_attempt() for _ in range(30)]
    with ThreadPoolExecutor(8) as senders:
        answers = senders.map(lambda _: api.post(new_attempt()), range(100))
        for attempt in gone:
            body = json.dumps(attempt).encode()
            with socket.create_connection(("127.0.0.1", api.port)) as client:
                client.sendall(
                    b"POST /v1/attempts HTTP/1.1\r\nHost: api\r\nContent-Type: application/json\r\n"
                    b"Authorization: Bearer %b\r\nContent-Length: %d\r\n\r\n" % (TOKEN.encode(), len(body)) + body
                )
        assert {answer.status_code for answer in answers} == {202}
    assert api.post(new_attempt()).status_code == 202


def test_a_client_that_hangs_up_before_the_end_of_its_body_stores_nothing(api, committed):
    attempt = new_attempt()
    body = json.dumps(attempt).encode()
    with socket.create_connection(("127.0.0.1", api.port)) as client:
        client.sendall(
            b"POST /v1/attempts HTTP/1.1\r\nHost: api\r\nContent-Type: application/json\r\n"
            b"Authorization: Bearer %b\r\nContent-Length: %d\r\n\r\n" % (TOKEN.encode(), len(body) + 1) + body
        )
    assert api.post(new_attempt()).status_code == 202
    assert stored(committed, attempt["id"]) is None


def test_bad_items_are_named_and_do_not_stop_the_good_ones(api, committed):
    good = [new_attempt(), new_attempt()]
    bad = new_attempt(attempted_at="2026-11-20T08:15:30")
    answer = api.post([good[0], bad, "nonsense", without(new_attempt(), "answer"), good[1]])
    assert answer.status_code == 202
    assert answer.json()["accepted"] == [attempt["id"] for attempt in good]
    assert errors_of(answer) == [(1, "attempted_at"), (2, None), (3, "answer")]
    assert answer.json()["errors"][0]["id"] == bad["id"]
    assert stored(committed, bad["id"]) is None


def test_when_nothing_is_acceptable_the_answer_is_a_problem_that_names_the_fields(api):
    answer = api.post([new_attempt(user_id="me"), new_attempt(time_spent_ms=-1)])
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == "urn:elp:problem:nothing-acceptable"
    assert "user_id" in problem["detail"]
    assert "time_spent_ms" in problem["detail"]
    assert errors_of(answer) == [(0, "user_id"), (1, "time_spent_ms")]


def test_an_empty_list_is_a_problem(api):
    answer = api.post([])
    assert answer.status_code == 422
    assert "at least one" in answer.json()["detail"]


def test_an_attempt_may_lie_up_to_a_day_in_the_future(api):
    early, late = (now() + timedelta(hours=hours) for hours in (23.9, 24.1))
    assert api.post(new_attempt(attempted_at=early.isoformat())).status_code == 202
    assert api.post(new_attempt(attempted_at=late.isoformat())).status_code == 422


@pytest.mark.parametrize("body", [b"", b"attempts", b'{"id": ', b"\xff\xfe", b"[1,]", b'{"a": 1} x'])
def test_a_body_that_is_no_json_is_told_so(api, body):
    answer = api.post(body)
    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:elp:problem:not-json"


def test_too_many_attempts_are_too_large(committed_url):
    with ApiServer(committed_url, attempts_max_batch=3) as api:
        assert api.post([new_attempt() for _ in range(3)]).status_code == 202
        for attempts in ([new_attempt() for _ in range(4)], [new_attempt(), 1, 2, 3]):
            answer = api.post(attempts)
            assert answer.status_code == 413
            assert "at most 3" in answer.json()["detail"]


def test_a_long_body_is_too_large_with_and_without_a_declared_length(committed_url):
    with ApiServer(committed_url, attempts_max_body_bytes=2_000) as api:
        assert api.post(json.dumps(new_attempt()).encode().ljust(2_000)).status_code == 202
        long = json.dumps(new_attempt()).encode().ljust(2_001)
        for body in (long, (long[at : at + 500] for at in range(0, 5_000, 500))):
            answer = api.client.post("/v1/attempts", content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code == 413
            assert answer.json()["type"] == "urn:elp:problem:too-large"
        assert api.post(new_attempt()).status_code == 202


def test_reading_of_an_endless_body_stops_at_the_limit(committed_url):
    sent = 0

    def endless():
        nonlocal sent
        while sent < 1_000:
            sent += 1
            yield b" " * 65_536

    with ApiServer(committed_url, attempts_max_body_bytes=100_000) as api:
        answer = api.client.post("/v1/attempts", content=endless(), headers={"Content-Type": "application/json"})
        assert answer.status_code == 413
        assert sent < 1_000


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "application/json; charset=utf-8"}, 202),
        ({"Content-Type": "Application/JSON"}, 202),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": "application/json; charset=latin-1"}, 415),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, 415),
    ],
)
def test_only_plain_json_in_utf8_is_read(api, headers, status):
    answer = api.client.post("/v1/attempts", content=json.dumps(new_attempt()), headers=headers)
    assert answer.status_code == status


def test_a_path_spelt_differently_reaches_the_same_route(api):
    attempt = new_attempt()
    answer = api.client.post("/v1/attempts/", json=attempt)
    assert (answer.status_code, answer.json()["accepted"]) == (202, [attempt["id"]])
