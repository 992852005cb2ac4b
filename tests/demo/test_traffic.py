from random import Random
from uuid import UUID

import msgspec
import pytest

from worker.demo.traffic import make_traffic
from worker.ids import uuid7


@pytest.fixture
def attempts() -> list[dict]:
    return [
        {
            "id": str(uuid7()),
            "user_id": str(uuid7()),
            "question_id": str(uuid7()),
            "answer": {"choice": "a"},
            "time_spent_ms": 1_000,
            "attempted_at": "2026-11-24T10:00:00+07:00",
        }
        for _ in range(2_000)
    ]


def items_of(requests: tuple[bytes, ...]) -> list[dict]:
    bodies = [msgspec.json.decode(request) for request in requests]
    return [item for body in bodies for item in (body if isinstance(body, list) else [body])]


def test_every_attempt_is_sent(attempts):
    traffic = make_traffic(attempts, Random(1))
    assert {attempt["id"] for attempt in attempts} <= {item["id"] for item in items_of(traffic.requests)}


def test_a_fifth_goes_singly_and_no_batch_is_too_large(attempts):
    bodies = [msgspec.json.decode(request) for request in make_traffic(attempts, Random(1)).requests]
    singles = sum(isinstance(body, dict) for body in bodies)
    assert 0.1 < singles / len(attempts) < 0.35
    assert max(len(body) for body in bodies if isinstance(body, list)) <= 100


def test_expectations_account_for_every_item_sent(attempts):
    traffic = make_traffic(attempts, Random(1))
    once = len(traffic.expected_graded) + len(traffic.expected_rejected)
    assert len(items_of(traffic.requests)) == once + traffic.resent + traffic.expected_refused


def test_poison_is_new_and_never_expected_to_be_graded(attempts):
    traffic = make_traffic(attempts, Random(1))
    assert traffic.expected_rejected
    assert not traffic.expected_rejected & {UUID(attempt["id"]) for attempt in attempts}
