"""Logging in, and what a session is: never told apart by account, ended by time, by hand, or with Redis."""

import json
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
import redis

from tests.api.accounts import COST, HASH, PASSWORD, bearer, email_of, log_in, make_account
from tests.api.bodies import new_attempt
from tests.api.server import ApiServer
from worker import clock
from worker.security.passwords import cost_of, make_hash


@pytest.fixture
def api(committed_url: str, redis_url: str) -> Iterator[ApiServer]:
    with ApiServer(committed_url, redis_url=redis_url, password_cost=COST, auth_cache_s=0) as server:
        yield server


def session_of(api: ApiServer, connection: psycopg.Connection, user_id: object) -> dict[str, str]:
    answer = log_in(api, email_of(connection, user_id))
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_learner_who_logs_in_reaches_their_own_rows_and_no_others(api, committed):
    user, other = make_account(committed), make_account(committed)
    session = session_of(api, committed, user)
    assert (session["user_id"], session["role"]) == (str(user), "learner")
    headers = bearer(session["token"])
    assert api.client.get(f"/v1/users/{user}/preferences", headers=headers).status_code == 200
    assert api.client.get(f"/v1/users/{other}/preferences", headers=headers).status_code == 403
    assert api.client.get(f"/v1/users/{uuid4()}/preferences", headers=headers).status_code == 403
    assert api.client.get("/v1/events", headers=headers).status_code == 403


def test_email_is_recognised_whatever_its_case(api, committed):
    user = make_account(committed)
    assert log_in(api, email_of(committed, user).upper()).status_code == 201


def test_answer_is_the_same_whatever_is_wrong(api, committed):
    answers = [
        log_in(api, email_of(committed, make_account(committed)), "another password"),
        log_in(api, "nobody@example.org"),
        log_in(api, email_of(committed, make_account(committed, is_active=False))),
        log_in(api, email_of(committed, make_account(committed, password_hash=None))),
    ]
    told = []
    for answer in answers:
        assert answer.status_code == 401
        body = answer.json()
        body.pop("request_id")
        told.append((body, sorted(answer.headers), answer.headers["content-length"]))
    assert told.count(told[0]) == len(told)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"email": "a@b.c", "password": "x" * 73}, 422),
        ({"email": "a@b.c", "password": "nul\0inside"}, 422),
        ({"email": "a\0@b.c", "password": PASSWORD}, 422),
        ({"email": "a@b.c"}, 422),
        ({"email": "a@b.c", "password": PASSWORD, "role": "admin"}, 422),
        ({"email": "x" * 300, "password": PASSWORD}, 422),
        ({"email": ["a@b.c"], "password": PASSWORD}, 422),
        ([], 422),
    ],
)
def test_login_that_cannot_be_one_is_refused_with_the_field(api, body, status):
    answer = api.client.post("/v1/sessions", json=body, headers={"Authorization": ""})
    assert answer.status_code == status
    if len(body) == 2 and len(str(body.get("password"))) == 73:
        assert "72 bytes" in answer.text


def test_hash_of_another_cost_is_renewed_at_the_login(api, committed):
    user = make_account(committed, password_hash=make_hash(PASSWORD, COST + 1))
    session_of(api, committed, user)
    (stored,) = committed.execute("SELECT password_hash FROM users WHERE id = %s", (user,)).fetchone()
    assert cost_of(stored) == COST
    session_of(api, committed, user)


def test_sessions_are_listed_and_one_or_all_of_them_revoked(api, committed):
    user = make_account(committed)
    email = email_of(committed, user)
    phone = log_in(api, email, **{"User-Agent": "phone"}).json()
    tablet = log_in(api, email, **{"User-Agent": "tablet"}).json()
    laptop = log_in(api, email).json()
    path, headers = f"/v1/users/{user}/sessions", bearer(tablet["token"])
    listed = api.client.get(path, headers=headers).json()
    assert {each["id"] for each in listed} == {each["session_id"] for each in (phone, tablet, laptop)}
    assert {each["agent"] for each in listed if each["is_this"]} == {"tablet"}
    assert not any(token in json.dumps(listed) for token in (phone["token"], tablet["token"]))
    assert api.client.delete(f"{path}/{phone['session_id']}", headers=headers).json() == {"sessions": 1}
    assert api.client.delete(f"{path}/{phone['session_id']}", headers=headers).status_code == 404
    assert api.client.get(path, headers=bearer(phone["token"])).status_code == 401
    assert api.client.delete(path, headers=headers).json() == {"sessions": 2}
    for session in (tablet, laptop):
        assert api.client.get(path, headers=bearer(session["token"])).status_code == 401


def test_sessions_end_also_when_the_audit_log_cannot_be_written(api, committed):
    user = make_account(committed)
    session_of(api, committed, user)
    committed.execute("ALTER TABLE audit_log RENAME TO audit_log_away")
    try:
        assert api.client.delete(f"/v1/users/{user}/sessions").json() == {"sessions": 1}
    finally:
        committed.execute("ALTER TABLE audit_log_away RENAME TO audit_log")


def test_logging_out_ends_this_session_alone(api, committed):
    user = make_account(committed)
    one, other = session_of(api, committed, user), session_of(api, committed, user)
    assert api.client.delete("/v1/sessions", headers=bearer(one["token"])).status_code == 204
    path = f"/v1/users/{user}/sessions"
    assert api.client.get(path, headers=bearer(one["token"])).status_code == 401
    assert [each["id"] for each in api.client.get(path, headers=bearer(other["token"])).json()] == [other["session_id"]]
    assert api.client.delete("/v1/sessions").status_code == 403  # the settings' token is no session


def test_session_ends_when_it_was_not_used_and_at_its_absolute_end(api, committed, redis_url, monkeypatch):
    session = session_of(api, committed, make_account(committed))
    path, headers = f"/v1/users/{session['user_id']}/preferences", bearer(session["token"])
    with redis.Redis.from_url(redis_url) as client:
        (key,) = client.keys("elp:session:*")
        client.expire(key, 60)
        assert api.client.get(path, headers=headers).status_code == 200
        assert client.ttl(key) > 60  # put off by being used
    instant = clock.now() + timedelta(hours=24 * 90, seconds=1)
    monkeypatch.setattr(clock, "_source", lambda: instant)
    assert api.client.get(path, headers=headers).status_code == 401


def test_losing_what_redis_holds_logs_out_and_loses_nothing_else(api, committed, redis_url):
    user = make_account(committed)
    session = session_of(api, committed, user)
    assert api.post(new_attempt(user_id=str(user)), **bearer(session["token"])).status_code == 202
    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()
    assert api.post(new_attempt(user_id=str(user)), **bearer(session["token"])).status_code == 401
    assert api.post(new_attempt()).status_code == 202  # a service goes on
    session_of(api, committed, user)


def test_nothing_that_opens_an_account_is_kept_in_redis(api, committed, redis_url):
    user = make_account(committed)
    session = session_of(api, committed, user)
    with redis.Redis.from_url(redis_url) as client:
        held = b" ".join(
            key + (client.get(key) if client.type(key) == b"string" else str(client.hgetall(key)).encode())
            for key in client.keys("*")
        )
    assert str(user).encode() in held
    for secret in (session["token"], PASSWORD, HASH, email_of(committed, user)):
        assert secret.encode() not in held


def test_learner_sends_attempts_of_their_own_alone(api, committed):
    user = make_account(committed)
    headers = bearer(session_of(api, committed, user)["token"])
    own, foreign = new_attempt(user_id=str(user)), new_attempt()
    answer = api.client.post("/v1/attempts", json=[foreign, own], headers=headers)
    assert answer.status_code == 202
    assert answer.json()["accepted"] == [own["id"]]
    (error,) = answer.json()["errors"]
    assert (error["index"], error["field"]) == (0, "user_id")
    assert api.client.post("/v1/attempts", json=foreign, headers=headers).status_code == 422
    assert api.client.get(f"/v1/attempts/{own['id']}", headers=headers).status_code == 200
    # That another learner's attempt exists can't be told from that it doesn't.
    theirs = new_attempt()
    assert api.post(theirs).status_code == 202
    answers = [api.client.get(f"/v1/attempts/{each}", headers=headers) for each in (theirs["id"], uuid4())]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json()["detail"] == answers[1].json()["detail"]


def test_password_is_changed_by_who_knows_it_and_ends_all_sessions(api, committed):
    user = make_account(committed)
    headers = bearer(session_of(api, committed, user)["token"])
    path = f"/v1/users/{user}/password"

    def change(present: str, replacement: str) -> int:
        body = {"present": present, "replacement": replacement}
        return api.client.put(path, json=body, headers=headers).status_code

    assert change("another password", "a new password") == 401
    assert change(PASSWORD, "short") == 422
    assert change(PASSWORD, "x" * 73) == 422
    assert change(PASSWORD, "a new password") == 200
    assert api.client.get(f"/v1/users/{user}/sessions", headers=headers).status_code == 401
    assert log_in(api, email_of(committed, user)).status_code == 401
    assert log_in(api, email_of(committed, user), "a new password").status_code == 201


def test_session_counts_for_a_while_when_redis_is_away_and_nobody_can_log_in(committed_url, committed, valkey_server):
    server = valkey_server()
    user = make_account(committed)
    with ApiServer(committed_url, redis_url=server.url, password_cost=COST, auth_cache_s=0) as api:
        known, unknown = session_of(api, committed, user), session_of(api, committed, user)
        path = f"/v1/users/{user}/preferences"
        assert api.client.get(path, headers=bearer(known["token"])).status_code == 200
        server.stop(timeout_s=10)
        assert api.client.get(path, headers=bearer(known["token"])).status_code == 200
        refused = api.client.get(path, headers=bearer(unknown["token"]))
        assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
        assert api.post(new_attempt(user_id=str(user)), **bearer(known["token"])).status_code == 202
        assert log_in(api, email_of(committed, user)).status_code == 503


def test_without_redis_there_is_no_login(committed_url, committed):
    user = make_account(committed)
    with ApiServer(committed_url) as api:
        assert log_in(api, email_of(committed, user)).status_code == 503
        assert api.client.get(f"/v1/users/{user}/sessions").json() == []
