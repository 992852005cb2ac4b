"""Requests made from the OpenAPI document itself, right and wrong ones: no error of ours, no answer it doesn't name.

The normal suite sends a few for each operation, `make test-long` 20,000.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import hypothesis
import psycopg
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.accounts import COST, make_account
from tests.api.bodies import new_attempt
from tests.api.server import AUTHORIZED, ApiServer
from tests.factories import make_card, make_preferences, make_question_set, make_tryout_session
from tests.support.settings import forget_settings

FEW, MANY = 10, 20_000
SLOW_S = 20.0
"""A bound against answers that take as long as one likes; how quick the machine is does not matter."""
CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def served(committed_url: str) -> Iterator[ApiServer]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ELP_DATABASE_URL", committed_url)
        forget_settings()
        with ApiServer(committed_url, password_cost=COST) as server:
            yield server
    forget_settings()


@pytest.fixture(scope="module")
def known(served: ApiServer, committed_url: str) -> dict[str, str]:
    """Ids of rows that there are: ones made up would be answered 404 alone."""
    with psycopg.connect(committed_url, autocommit=True) as connection:
        user = make_account(connection)
        make_preferences(connection, user_id=user)
        question_set = make_question_set(connection, status="published")
        attempt = new_attempt(user_id=str(user))
        assert served.post(attempt).status_code == 202
        ids = {
            "user_id": user,
            "card_id": make_card(connection, user_id=user),
            "tryout_id": make_tryout_session(connection, user_id=user, question_set_id=question_set),
            "attempt_id": attempt["id"],
        }
    return {name: str(value) for name, value in ids.items()}


def cases(operation: Any, known: dict[str, str]) -> st.SearchStrategy[Any]:
    """Requests of an operation: as its schema says, about rows that there are, and with something wrong."""
    names = [parameter.name for parameter in operation.path_parameters]
    right = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    wrong = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    if names and known.keys() >= set(names):
        path = {name: known[name] for name in names}
        return right | wrong | operation.as_strategy(path_parameters=path)
    return right | wrong


def send(served: ApiServer, known: dict[str, str], requests: int) -> Counter[int]:
    """Send so many requests of each operation, and check each answer; return how many had which status."""
    schema = schemathesis.openapi.from_url(f"{served.url}/docs/openapi.json")
    met: Counter[int] = Counter()
    for result in schema.get_all_operations():
        operation = result.ok()

        @hypothesis.settings(
            max_examples=requests,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(case=cases(operation, known))
        def ask(case: Any) -> None:
            wait = (case.query or {}).get("wait")
            if isinstance(wait, int | float) and 0.1 < wait <= 25:
                case.query["wait"] = 0.1  # as long as it likes is what the client asked for
            answer = case.call(headers=AUTHORIZED, timeout=60)
            met[answer.status_code] += 1
            shown = f"{case.as_curl_command()}\n{answer.status_code} {answer.text[:2_000]}"
            assert answer.status_code != 500, shown
            assert answer.elapsed < SLOW_S, shown
            # What is no id at all finds no route: the operation itself was never asked.
            if answer.status_code in {404, 405} and "there is nothing at this address" in answer.text:
                return
            if answer.status_code == 405:
                return
            case.validate_response(answer, checks=CHECKS)

        ask()
    return met


@pytest.mark.long
def test_few_requests_of_each_operation_are_answered_as_documented(served, known):
    met = send(served, known, FEW)
    assert met.total() >= 100
    assert {200, 202, 404, 422} <= met.keys()


@pytest.mark.long
@pytest.mark.timeout(1_800)
def test_twenty_thousand_requests_are_answered_as_documented(served, known):
    met: Counter[int] = Counter()
    operations = 40
    while met.total() < MANY:
        met += send(served, known, MANY // operations)
    assert 500 not in met
