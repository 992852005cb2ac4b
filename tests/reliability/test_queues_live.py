"""Due queues as an app sees them, with real processes: rebuilt when wishes change, right while attempts pour in."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.factories import make_card, make_question, make_user
from tests.reliability.clients import TOKEN
from tests.reliability.conftest import System
from tests.support.processes import wait_until
from worker.clock import now
from worker.ids import uuid7

pytestmark = pytest.mark.processes


@pytest.fixture
def http(system: System) -> Iterator[httpx.Client]:
    """A client of the running platform."""
    system.start()
    with httpx.Client(base_url=system.url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30) as client:
        yield client


def learners_with_due_cards(system: System, learners: int, cards: int) -> tuple[list[UUID], list[UUID]]:
    """Learners who have the same cards, overdue since yesterday, and the cards' questions."""
    options = [{"id": "a", "text": "house"}, {"id": "b", "text": "horse"}]
    with system.connect() as connection:
        questions = [make_question(connection, options=options, answer_key={"correct": "a"}) for _ in range(cards)]
        user_ids = [make_user(connection) for _ in range(learners)]
        for user_id in user_ids:
            for question_id in questions:
                due_on = (now() - timedelta(days=2)).date()
                make_card(connection, user_id=user_id, item_id=question_id, next_review_date=due_on)
    return user_ids, questions


def queue_of(http: httpx.Client, user_id: UUID) -> list[str]:
    answer = http.get(f"/v1/users/{user_id}/due-queue")
    return list(answer.json()["card_ids"]) if answer.is_success else []


def cards_of(http: httpx.Client, user_id: UUID) -> list[dict[str, Any]]:
    answer = http.get(f"/v1/users/{user_id}/due-queue/cards")
    answer.raise_for_status()
    return list(answer.json()["cards"])


def build_now(http: httpx.Client) -> None:
    http.post("/v1/jobs/srs.build_due_queues/runs", json={}).raise_for_status()


def answer_right(http: httpx.Client, user_id: UUID, question_id: UUID) -> None:
    attempt = {"id": uuid7(), "user_id": user_id, "question_id": question_id, "attempted_at": now().isoformat()}
    body = {name: str(value) for name, value in attempt.items()} | {"answer": {"choice": "a"}}
    http.post("/v1/attempts", json=body).raise_for_status()


def test_changed_wishes_rebuild_the_queue_within_seconds(system: System, http: httpx.Client) -> None:
    [user_id], _ = learners_with_due_cards(system, 1, cards=9)
    build_now(http)
    wait_until(lambda: len(queue_of(http, user_id)) == 9, 60, "the day's queue")
    http.patch(f"/v1/users/{user_id}/preferences", json={"review_limit": 3}).raise_for_status()
    wait_until(lambda: len(queue_of(http, user_id)) == 3, 60, "a queue of the new limit")


def test_cards_answered_while_queues_are_built_are_not_to_be_shown_again(system: System, http: httpx.Client) -> None:
    learners, questions = learners_with_due_cards(system, 10, cards=8)
    build_now(http)
    wait_until(lambda: all(queue_of(http, user_id) for user_id in learners), 60, "the day's queues")
    for limit, question_id in enumerate(questions[:5], start=50):
        for user_id in learners:
            answer_right(http, user_id, question_id)
            http.patch(f"/v1/users/{user_id}/preferences", json={"review_limit": limit}).raise_for_status()
    wait_until(lambda: system.waiting() == 0, 60, "an empty inbox")
    answered = {str(question_id) for question_id in questions[:5]}
    for user_id in learners:
        shown = {card["item_id"] for card in cards_of(http, user_id) if "left_by" not in card}
        assert shown == {str(question_id) for question_id in questions[5:]}, answered & shown
