"""No secret and nothing personal is in the logs: seeded values are looked for in all that real processes print."""

import logging
from collections.abc import Callable
from typing import Any

import httpx
import psycopg
import pytest
import structlog

from tests import conftest
from tests.api.accounts import COST, PASSWORD, bearer, make_account
from tests.api.bodies import new_attempt
from tests.support import seeded
from tests.support.processes import Program, wait_until
from worker.embedded.ports import free_port
from worker.security.tokens import draw

NAME = "Dewi Purnamasari-Halim"
EMAIL = "dewi.purnamasari@example.org"
ANSWER = "an answer that is nobody else's business"
API_TOKEN = "settings-token-that-must-not-be-logged"


def test_logs_of_the_processes_hold_no_seeded_secret(
    database_url: str, redis_url: str, program: Callable[..., Program]
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        user = make_account(connection, email=EMAIL, full_name=NAME)
    port = free_port("127.0.0.1")
    base = f"http://127.0.0.1:{port}"
    environment: dict[str, Any] = {
        "ELP_API_PORT": str(port),
        "ELP_API_TOKEN": API_TOKEN,
        "ELP_LOG_LEVEL": "DEBUG",
        "ELP_PASSWORD_COST": str(COST),
    }

    def answers() -> bool:
        try:
            return httpx.get(f"{base}/v1/health", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    api = program("python", "-m", "worker.api", **environment)
    api.start(ready=answers, timeout_s=90)
    with httpx.Client(base_url=base, timeout=60) as client:
        session = client.post("/v1/sessions", json={"email": EMAIL, "password": PASSWORD}).json()["token"]
        wrong = draw("elp").text
        calls = [
            client.post("/v1/sessions", json={"email": EMAIL, "password": f"{PASSWORD} no"}),
            client.post("/v1/sessions", json={"email": EMAIL, "password": {"x": PASSWORD}}),
            client.post("/v1/sessions", content=f'{{"password": "{PASSWORD}", '.encode()),
            client.get("/v1/events", headers=bearer(wrong)),
            client.post(
                "/v1/attempts",
                json=new_attempt(user_id=str(user), answer={"text": ANSWER}),
                headers=bearer(session),
            ),
            client.post("/v1/attempts", json={"answer": ANSWER, "user_id": EMAIL}, headers=bearer(API_TOKEN)),
            client.patch(f"/v1/users/{user}/preferences", json={"daily_goal": ANSWER}, headers=bearer(session)),
            client.put(
                f"/v1/users/{user}/password",
                json={"present": PASSWORD, "replacement": f"{PASSWORD} new"},
                headers=bearer(session),
            ),
        ]
        assert {call.status_code for call in calls} >= {200, 202, 401, 422}
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("ALTER TABLE user_preferences RENAME TO gone")  # an error of ours, with its traceback
            failed = client.get(f"/v1/users/{user}/preferences", headers=bearer(API_TOKEN))
            connection.execute("ALTER TABLE gone RENAME TO user_preferences")
    assert failed.status_code == 500
    for secret in (EMAIL, NAME, PASSWORD, ANSWER):
        assert secret not in failed.text
    worker = program(
        *["python", "-m", "celery", "-A", "worker.app", "worker", "-c", "1", "--without-gossip", "--without-mingle"],
        REMAP_SIGTERM="SIGQUIT",
        ELP_LOG_LEVEL="DEBUG",
    )
    worker.start(ready=lambda: "ready." in worker.output(), timeout_s=90)
    wait_until(lambda: _is_rejected(database_url), what="the attempt's rejection")
    assert worker.stop(timeout_s=60) == 0
    api.stop(timeout_s=60)
    assert "lane_drained" in worker.output()
    for secret in (EMAIL, NAME, PASSWORD, ANSWER, session):
        assert secret not in worker.output(), f"{secret!r} is in the worker's log"
    output = api.output()
    assert "logged_in" in output
    assert "request_failed" in output
    for secret in (EMAIL, NAME, PASSWORD, ANSWER, API_TOKEN, session, wrong):
        assert secret not in output, f"{secret!r} is in the log"
    # Ids are what a log may say.
    assert str(user) in output


def _is_rejected(database_url: str) -> bool:
    with psycopg.connect(database_url) as connection:
        return connection.execute("SELECT 1 FROM attempt_rejections").fetchone() is not None


# The whole run of the tests is searched: these are tests of the search itself.


@pytest.mark.parametrize(
    "secret",
    [
        seeded.NAME,
        seeded.PASSWORD,
        seeded.API_TOKEN,
        "0123abcd@example.org",
        "card:decline_soft",
        "secret-of-settings",
    ],
)
def test_secret_that_is_logged_here_is_found_with_its_logger_and_test(secret: str) -> None:
    seeded.seed(["secret-of-settings"])
    logging.getLogger("some.library").warning("sent to %s", secret)
    structlog.get_logger().warning("own_event", recipient=secret)
    try:
        raise ValueError(f"no such {secret}")  # noqa: TRY301
    except ValueError:
        structlog.get_logger().exception("it_failed")
        logging.getLogger("some.library").exception("it failed")
    found = seeded.take()
    assert {leak.secret for leak in found} == {secret}
    assert len(found) == 4
    assert {"some.library"} < {
        leak.logger for leak in found
    }  # structlog's is another, before and after it is configured
    assert all("test_secret_that_is_logged_here" in leak.test for leak in found)
    assert seeded.take() == []


def test_test_during_which_a_secret_was_logged_fails() -> None:
    logging.getLogger("some.library").warning("to %s", seeded.NAME)
    hook = conftest.pytest_runtest_teardown()
    next(hook)
    with pytest.raises(pytest.fail.Exception, match=f"'{seeded.NAME}' logged by some.library"):
        next(hook)


def test_secret_that_a_process_prints_is_found_when_it_ends(program: Callable[..., Program], settings) -> None:
    settings(encryption_keys="key-of-this-test")
    token = draw("elp").text
    said = f"print('fine'); print('the key is key-of-this-test'); print('{token}'); print('Bearer ********')"
    talking = program("python", "-c", said).start()
    wait_until(lambda: not talking.is_running())
    talking.kill()
    key, masked = seeded.take()
    assert (key.secret, key.line) == ("key-of-this-test", "the key is key-of-this-test")
    assert masked.line == "elp_********"
    assert "python" in key.logger
