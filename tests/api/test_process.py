"""The API as a process of its own: how it starts, what it does without its servers, how it stops."""

import json
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import httpx
import psycopg
import pytest
import redis

from tests.api.bodies import new_attempt
from tests.support.processes import wait_until
from worker.ids import lane_of

TOKEN = "a-token-for-tests"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def start(program):
    """Start `python -m worker.api` and return the program and a client."""

    def start(**environment):
        port = free_port()
        process = program(
            "python", "-m", "worker.api", ELP_API_PORT=str(port), **{"ELP_API_TOKEN": TOKEN, **environment}
        )
        client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30
        )

        def healthy():
            try:
                return client.get("/v1/health").status_code == 200
            except httpx.TransportError:
                return False

        process.start(healthy)
        return process, client

    return start


@pytest.mark.parametrize("token", ["", " "])
def test_without_a_token_it_does_not_start_and_names_the_setting(program, database_url, token):
    process = program("python", "-m", "worker.api", ELP_API_TOKEN=token).start()
    assert process.process.wait(90) == 1
    assert "ELP_API_TOKEN" in process.output()
    assert "Traceback" not in process.output()


def test_without_a_database_setting_it_does_not_start_and_names_it(program):
    process = program("python", "-m", "worker.api", ELP_API_TOKEN=TOKEN).start()
    assert process.process.wait(90) == 1
    assert "ELP_DATABASE_URL" in process.output()


def test_a_commit_is_followed_by_one_nudge_a_lane(start, database_url, redis_url):
    process, client = start()
    attempts = [new_attempt() for _ in range(3)]
    client.post("/v1/attempts", json=attempts).raise_for_status()
    with redis.Redis.from_url(redis_url) as broker:
        lanes = {lane_of_attempt(attempt) for attempt in attempts}
        wait_until(lambda: broker.llen("attempts") == len(lanes), 90, "the nudges")
        messages = [json.loads(message) for message in broker.lrange("attempts", 0, -1)]
        assert {message["headers"]["task"] for message in messages} == {"attempts.drain"}
        assert {json.loads(re.sub("'", '"', message["headers"]["argsrepr"]).replace(",)", "]").replace("(", "["))[0]
                for message in messages} == lanes  # fmt: skip
        assert broker.keys("_kombu.binding*") in ([], [b"_kombu.binding.attempts"])
    assert process.stop() == 0


def lane_of_attempt(attempt):
    return lane_of(UUID(attempt["user_id"]))


def test_while_redis_is_down_attempts_are_accepted_as_ever(start, database_url):
    process, client = start(ELP_REDIS_URL="redis://127.0.0.1:1/0")
    for _ in range(20):
        assert client.post("/v1/attempts", json=new_attempt()).status_code == 202
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT count(*) FROM attempt_inbox").fetchone() == (20,)
    wait_until(lambda: "nudge_refused" in process.output(), 90)
    assert process.output().count("nudge_refused") == 1
    assert process.stop() == 0


def test_sigterm_finishes_what_was_begun(start, database_url):
    process, client = start()
    client.post("/v1/attempts", json=new_attempt()).raise_for_status()
    attempt = new_attempt()
    with ThreadPoolExecutor(1) as sender, psycopg.connect(database_url) as connection:
        connection.execute("LOCK TABLE attempt_inbox")
        answer = sender.submit(client.post, "/v1/attempts", json=attempt)
        wait_until(lambda: waiting_for_a_lock(database_url), 90)
        process.process.terminate()
        wait_until(lambda: "Shutting down" in process.output(), 90)
        connection.commit()
        assert answer.result(10).status_code == 202
        assert answer.result().json()["accepted"] == [attempt["id"]]
        assert process.process.wait(20) == 0
        assert connection.execute("SELECT 1 FROM attempt_inbox WHERE id = %s", [attempt["id"]]).fetchone()


def waiting_for_a_lock(database_url):
    with psycopg.connect(database_url) as connection:
        return connection.execute(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        ).fetchone()


def test_while_postgresql_is_away_the_answer_is_503_and_then_it_recovers(start, postgres_server):
    server = postgres_server()
    process, client = start(ELP_DATABASE_URL=server.url)
    first = new_attempt()
    client.post("/v1/attempts", json=first).raise_for_status()
    server.kill()
    for path in ("/v1/attempts", None, "/v1/attempts"):
        answer = client.post(path, json=new_attempt()) if path else client.get(f"/v1/attempts/{first['id']}")
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.json()["type"] == "urn:elp:problem:unavailable"
        assert "127.0.0.1" not in answer.text
    assert client.get("/v1/health").status_code == 200
    assert client.get("/v1/health/ready").status_code == 503
    server.start()
    attempt = new_attempt()
    wait_until(lambda: client.post("/v1/attempts", json=attempt).status_code == 202, 90, "recovery")
    wait_until(lambda: client.get("/v1/health/ready").status_code == 200, 90)
    for attempt_id in (first["id"], attempt["id"]):
        assert client.get(f"/v1/attempts/{attempt_id}").json()["state"] == "received"
    assert process.stop() == 0


def test_several_processes_share_the_port(start, database_url):
    process, client = start(ELP_API_PROCESSES="2")
    assert {client.post("/v1/attempts", json=new_attempt()).status_code for _ in range(10)} == {202}
    assert process.stop() == 0
