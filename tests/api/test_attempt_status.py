from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

from tests.api.bodies import new_attempt
from tests.api.server import ApiServer
from tests.factories import make_attempt, make_rejection
from worker.ids import uuid7

AT = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)


def status_of(api, attempt_id):
    return api.client.get(f"/v1/attempts/{attempt_id}")


def test_an_attempt_just_accepted_is_received(api):
    attempt = new_attempt(lesson_id=str(uuid4()))
    api.post(attempt)
    status = status_of(api, attempt["id"]).json()
    assert status.pop("received_at")
    assert status == {
        "id": attempt["id"],
        "state": "received",
        "user_id": attempt["user_id"],
        "question_id": attempt["question_id"],
        "attempted_at": attempt["attempted_at"].replace("+00:00", "Z"),
        "lesson_id": attempt["lesson_id"],
    }


def test_a_graded_attempt_has_its_result(api, committed):
    attempt_id = make_attempt(committed, score=Decimal("0.6667"), is_correct=False, attempted_at=AT, graded_at=AT)
    status = status_of(api, attempt_id).json()
    assert status["state"] == "graded"
    assert status["score"] == 0.6667
    assert status["is_correct"] is False
    assert status["graded_at"] == "2026-11-20T08:30:00Z"
    assert "reason" not in status


def test_a_rejected_attempt_has_its_reason(api, committed):
    attempt_id = make_rejection(
        committed, reason="unknown_question", detail="there is no such question", question_id=None, attempted_at=None
    )
    status = status_of(api, attempt_id).json()
    assert status["state"] == "rejected"
    assert status["reason"] == "unknown_question"
    assert status["detail"] == "there is no such question"
    assert status["question_id"] is None
    assert status["rejected_at"]


def test_an_unknown_attempt_is_not_found(api):
    answer = status_of(api, uuid7())
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:elp:problem:unknown-attempt"


def test_an_id_that_is_none_is_not_found(api):
    assert status_of(api, "17").status_code == 404


def test_statuses_are_read_with_asyncpg_too(committed_url):
    with ApiServer(committed_url.replace("postgresql://", "postgresql+asyncpg://")) as api:
        attempt = new_attempt()
        assert api.post(attempt).status_code == 202
        assert status_of(api, attempt["id"]).json()["state"] == "received"
        assert status_of(api, uuid7()).status_code == 404
        assert api.client.get("/v1/health/ready").status_code == 200
