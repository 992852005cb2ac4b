"""No secret and nothing personal is in the logs: seeded values are looked for in all that real processes print."""

from collections.abc import Callable
from typing import Any

import httpx
import psycopg

from tests.api.accounts import COST, PASSWORD, bearer, make_account
from tests.api.bodies import new_attempt
from tests.support.processes import Program
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
    api.stop(timeout_s=60)
    output = api.output()
    assert "logged_in" in output
    assert "request_failed" in output
    for secret in (EMAIL, NAME, PASSWORD, ANSWER, API_TOKEN, session, wrong):
        assert secret not in output, f"{secret!r} is in the log"
    # Ids are what a log may say.
    assert str(user) in output
