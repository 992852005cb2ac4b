"""Rate limits: per learner, token and address, told in headers; without Redis attempts pass and logins do not."""

from collections.abc import Callable, Iterator

import pytest

from tests.api.accounts import COST, bearer, email_of, log_in, make_account, make_token
from tests.api.bodies import new_attempt
from tests.api.server import ApiServer
from worker.security.tokens import draw

Serve = Callable[..., ApiServer]


@pytest.fixture
def serve(committed_url: str, redis_url: str) -> Iterator[Serve]:
    servers: list[ApiServer] = []

    def start(**settings: object) -> ApiServer:
        values = {"redis_url": redis_url, "password_cost": COST, **settings}
        servers.append(ApiServer(committed_url, **values).__enter__())
        return servers[-1]

    yield start
    for server in servers:
        server.__exit__()


def assert_is_refused(answer, name: str) -> None:
    assert answer.status_code == 429
    assert answer.json()["type"] == "urn:elp:problem:too-many-requests"
    assert 1 <= int(answer.headers["retry-after"]) <= 3600
    assert answer.headers["ratelimit"].startswith(f'"{name}";r=0;t=')


def test_learner_has_one_limit_whatever_their_sessions(serve: Serve, committed):
    api = serve(rate_limit_learner="4/hour")
    user = make_account(committed)
    tokens = [log_in(api, email_of(committed, user)).json()["token"] for _ in range(2)]
    path = f"/v1/users/{user}/preferences"
    answers = [api.client.get(path, headers=bearer(tokens[number % 2])) for number in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]
    assert answers[0].headers["ratelimit-policy"] == '"learner";q=4;w=3600'
    assert answers[0].headers["ratelimit"].startswith('"learner";r=3;t=')
    assert_is_refused(answers[4], "learner")
    # The same budget for attempts, which are answered before the router.
    assert_is_refused(api.post(new_attempt(user_id=str(user)), **bearer(tokens[0])), "learner")
    other = make_account(committed)
    token = log_in(api, email_of(committed, other)).json()["token"]
    answer = api.post(new_attempt(user_id=str(other)), **bearer(token))
    assert (answer.status_code, answer.headers["ratelimit"][:15]) == (202, '"learner";r=3;t')


def test_api_token_has_a_limit_of_its_own_and_that_of_the_settings_has_none(serve: Serve, committed):
    api = serve(rate_limit_token="2/hour")
    one, other = (make_token(committed, "events.read")[1] for _ in range(2))
    answers = [api.client.get("/v1/events", headers=bearer(one)) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert_is_refused(answers[2], "token")
    assert api.client.get("/v1/events", headers=bearer(other)).status_code == 200
    for _ in range(4):
        assert "ratelimit" not in api.client.get("/v1/events").headers


def test_address_that_guesses_tokens_is_held_off(serve: Serve):
    api = serve(rate_limit_address="3/hour")
    codes = [api.client.get("/v1/events", headers=bearer(draw("elp").text)).status_code for _ in range(4)]
    assert codes == [401, 401, 401, 429]
    assert api.post(new_attempt(), **bearer("wrong")).status_code == 429
    assert api.client.get("/v1/events").status_code == 200  # whoever has a token is not their neighbour


def test_logins_are_throttled_per_account_whether_there_is_one(serve: Serve, committed):
    api = serve(login_limit_account="3/hour")
    user = make_account(committed)
    for email in (email_of(committed, user), "nobody@example.org"):
        codes = [log_in(api, email, "wrong password").status_code for _ in range(4)]
        assert codes == [401, 401, 401, 429]
    assert_is_refused(log_in(api, email_of(committed, user).upper()), "login-account")


def test_login_that_succeeds_gives_the_account_its_tries_back(serve: Serve, committed):
    api = serve(login_limit_account="2/hour")
    email = email_of(committed, make_account(committed))
    for _ in range(3):
        assert log_in(api, email, "wrong password").status_code == 401
        assert log_in(api, email).status_code == 201


def test_logins_are_throttled_per_address_whatever_the_accounts(serve: Serve):
    api = serve(login_limit_address="3/hour")
    codes = [log_in(api, f"nobody{number}@example.org", "wrong password").status_code for number in range(4)]
    assert codes == [401, 401, 401, 429]


def test_limit_may_be_none(serve: Serve, committed):
    api = serve(rate_limit_token="none")
    _, token = make_token(committed, "events.read")
    answer = api.client.get("/v1/events", headers=bearer(token))
    assert (answer.status_code, "ratelimit" in answer.headers) == (200, False)


def test_without_redis_requests_pass_and_logins_do_not(committed_url, committed, valkey_server):
    server = valkey_server()
    _, token = make_token(committed, "attempts.send", "events.read")
    user = make_account(committed)
    with ApiServer(committed_url, redis_url=server.url, rate_limit_token="1/hour", password_cost=COST) as api:
        assert api.post(new_attempt(), **bearer(token)).status_code == 202
        assert api.post(new_attempt(), **bearer(token)).status_code == 429
        server.stop(timeout_s=10)
        for _ in range(3):
            assert api.post(new_attempt(), **bearer(token)).status_code == 202
            assert api.client.get("/v1/events", headers=bearer(token)).status_code == 200
        answer = log_in(api, email_of(committed, user))
        assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
