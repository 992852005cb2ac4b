"""A learner's cards over the API: queue with reasons, preview, actions; and what becomes of the load."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest
from freezegun import freeze_time

from tests.factories import make_card, make_due_queue, make_lesson, make_question, make_user

DAY = date(2026, 11, 23)
NOON = "2026-11-23T05:00:00Z"  # in Jakarta
BUILT_AT = datetime(2026, 11, 22, 21, 5, tzinfo=UTC)


@pytest.fixture
def user_id(committed):
    return make_user(committed, timezone="Asia/Jakarta", day_start_hour=4)


@pytest.fixture
def card_of(committed, user_id):
    def make(**values):
        reviewed = {"last_reviewed_at": BUILT_AT - timedelta(days=7)}
        return make_card(committed, user_id=user_id, **{"next_review_date": DAY} | reviewed | values)

    return make


@pytest.fixture
def audit(committed):
    def entries(card_id):
        return committed.execute(
            "SELECT actor, action, before, after FROM audit_log WHERE object_type = 'srs_card' AND object_id = %s"
            " ORDER BY id",
            (str(card_id),),
        ).fetchall()

    return entries


def act(api, user_id, card_id, action, **values):
    with freeze_time(NOON, real_asyncio=True):
        return send(api, user_id, card_id, action, **values)


def send(api, user_id, card_id, action, **values):
    return api.client.post(f"/v1/users/{user_id}/cards/{card_id}/actions", json={"action": action, **values})


def cards_of_queue(api, user_id, **query):
    return api.client.get(f"/v1/users/{user_id}/due-queue/cards", params={"date": str(DAY), **query})


def test_a_queue_s_cards_come_with_their_content_and_reasons(api, committed, user_id, card_of):
    question_id = make_question(committed)
    lesson_id = make_lesson(committed, question_ids=[question_id])
    overdue = card_of(item_id=question_id, interval=10, next_review_date=DAY - timedelta(5))
    new = card_of(state="new", interval=0, last_reviewed_at=None)
    gone = uuid4()
    make_due_queue(
        committed, user_id=user_id, local_date=DAY, card_ids=[overdue, gone, new], review=2, new=1, built_at=BUILT_AT
    )
    answer = cards_of_queue(api, user_id)
    assert answer.status_code == 200
    first, second, third = answer.json()["cards"]
    assert first == {
        "place": 1,
        "card_id": str(overdue),
        "item_type": "question",
        "item_id": str(question_id),
        "lesson_ids": [str(lesson_id)],
        "state": "review",
        "reasons": [{"code": "overdue", "times": 0.5}, {"code": "due", "since": "2026-11-18", "days": 5}],
    }
    assert second == {"place": 2, "card_id": str(gone), "left_by": "removed"}
    assert third["reasons"] == [{"code": "new"}]
    assert answer.json()["next_after"] is None


def test_a_long_queue_comes_in_parts(api, committed, user_id, card_of):
    cards = [card_of() for _ in range(5)]
    make_due_queue(committed, user_id=user_id, local_date=DAY, card_ids=cards, review=5, built_at=BUILT_AT)
    seen, after = [], 0
    while after is not None:
        part = cards_of_queue(api, user_id, after=after, limit=2).json()
        seen += [card["card_id"] for card in part["cards"]]
        after = part["next_after"]
    assert seen == [str(card) for card in cards]


def test_a_card_suspended_since_says_so_in_the_queue(api, committed, user_id, card_of):
    card = card_of()
    make_due_queue(committed, user_id=user_id, local_date=DAY, card_ids=[card], review=1, built_at=BUILT_AT)
    act(api, user_id, card, "suspend")
    assert cards_of_queue(api, user_id).json()["cards"][0]["left_by"] == "suspended"


def test_an_action_changes_the_card_once_and_leaves_one_row_in_the_audit_log(api, user_id, card_of, audit):
    card = card_of()
    first, second = (act(api, user_id, card, "suspend") for _ in range(2))
    assert (first.status_code, first.json()["changed"], first.json()["card"]["is_suspended"]) == (200, True, True)
    assert (second.status_code, second.json()["changed"]) == (200, False)
    assert audit(card) == [("token:api", "srs_card.suspended", {"is_suspended": False}, {"is_suspended": True})]


def test_a_card_is_buried_until_the_learner_s_tomorrow(api, user_id, card_of, audit):
    card = card_of()
    assert act(api, user_id, card, "bury").json()["card"]["buried_until"] == "2026-11-24"
    assert act(api, user_id, card, "unbury").json()["card"]["buried_until"] is None
    assert [row[1] for row in audit(card)] == ["srs_card.buried", "srs_card.unburied"]


def test_a_reset_card_is_new_again(api, committed, user_id, card_of, audit):
    card = card_of(stability=7.0, difficulty=5.0, lapses=3, ease_factor="1.90")
    after = act(api, user_id, card, "reset").json()["card"]
    assert (after["state"], after["interval"], after["lapses"], after["stability"]) == ("new", 0, 0, None)
    assert audit(card)[0][2]["stability"] == 7.0
    row = committed.execute("SELECT ease_factor, is_learning FROM srs_cards WHERE id = %s", (card,)).fetchone()
    assert (float(row[0]), row[1]) == (2.5, False)


def test_the_same_action_sent_by_many_at_once_counts_once(api, user_id, card_of, audit):
    card = card_of()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: send(api, user_id, card, "suspend").json()["changed"], range(8)))
    assert sorted(answers) == [False] * 7 + [True]
    assert len(audit(card)) == 1


def test_an_action_waits_for_a_batch_that_holds_the_card(api, committed, committed_url, user_id, card_of):

    card = card_of()
    with psycopg.connect(committed_url) as batch, ThreadPoolExecutor(1) as pool:
        batch.execute("SELECT FROM srs_cards WHERE id = %s FOR NO KEY UPDATE", (card,))
        waiting = pool.submit(send, api, user_id, card, "reset")
        batch.execute("UPDATE srs_cards SET state = 'relearning', lapses = 4 WHERE id = %s", (card,))
        assert not waiting.done()
        batch.commit()
        after = waiting.result(10).json()["card"]
    assert (after["state"], after["lapses"]) == ("new", 0)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["action"]),
        ({"action": "burn"}, ["action"]),
        ({"action": "bury", "until": "2026-11-23"}, ["until"]),
        ({"action": "bury", "until": "tomorrow"}, ["until"]),
        ({"action": "suspend", "until": "2026-11-24"}, ["until"]),
        ({"action": 1, "until": 2, "when": 3}, ["when", "action", "until"]),
    ],
)
def test_a_wrong_body_is_refused_by_field(api, user_id, card_of, audit, body, fields):
    card = card_of()
    with freeze_time(NOON, real_asyncio=True):
        answer = api.client.post(f"/v1/users/{user_id}/cards/{card}/actions", json=body)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == fields
    assert audit(card) == []


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [(b"{", "application/json", 400), (b"[]", "application/json", 422), (b"{}", "text/plain", 415)],
)
def test_a_body_that_is_no_json_object_is_refused(api, user_id, content, content_type, status):
    answer = api.client.post(
        f"/v1/users/{user_id}/cards/{uuid4()}/actions", content=content, headers={"Content-Type": content_type}
    )
    assert answer.status_code == status


def test_a_body_too_long_is_refused(api, user_id):
    answer = api.client.post(f"/v1/users/{user_id}/cards/{uuid4()}/actions", json={"action": "x" * 70_000})
    assert answer.status_code == 413


def test_unknown_learners_and_cards_are_not_found(api, committed, user_id, card_of):
    card = card_of()
    stranger = make_user(committed)
    for path in ("forecast", "statistics", "due-queue/cards", f"cards/{card}/preview"):
        answer = api.client.get(f"/v1/users/{uuid4()}/{path}")
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:elp:problem:unknown-learner")
    assert api.client.get(f"/v1/users/{stranger}/cards/{card}/preview").json()["type"] == "urn:elp:problem:unknown-card"
    answer = act(api, stranger, card, "suspend")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:elp:problem:unknown-card")
    assert act(api, uuid4(), card, "suspend").json()["type"] == "urn:elp:problem:unknown-learner"


def test_a_preview_shows_the_four_grades_of_both_schedulers_and_stores_nothing(api, committed, user_id, card_of):
    card = card_of(interval=7, stability=8.0, difficulty=5.0)
    before = committed.execute("SELECT * FROM srs_cards WHERE id = %s", (card,)).fetchone()
    with freeze_time(NOON, real_asyncio=True):
        answer = api.client.get(f"/v1/users/{user_id}/cards/{card}/preview").json()
    assert answer["local_date"] == "2026-11-23"
    assert [(one["scheduler"], one["is_used"]) for one in answer["schedulers"]] == [("fsrs", True), ("sm2", False)]
    assert [[outcome["grade"] for outcome in one["grades"]] for one in answer["schedulers"]] == [
        ["again", "hard", "good", "easy"]
    ] * 2
    assert committed.execute("SELECT * FROM srs_cards WHERE id = %s", (card,)).fetchone() == before


def test_a_forecast_counts_what_is_due_and_what_the_limits_leave_over(api, committed, card_of, user_id):
    committed.execute("UPDATE user_preferences SET review_limit = 2, new_limit = 1 WHERE user_id = %s", (user_id,))
    for late in (0, 3, 400):
        card_of(next_review_date=DAY - timedelta(late))
    card_of(next_review_date=DAY + timedelta(2))
    card_of(next_review_date=DAY, buried_until=DAY + timedelta(1))
    card_of(next_review_date=DAY, is_suspended=True)
    card_of(next_review_date=DAY + timedelta(40))
    for _ in range(2):
        card_of(state="new", interval=0, last_reviewed_at=None)
    with freeze_time(NOON, real_asyncio=True):
        answer = api.client.get(f"/v1/users/{user_id}/forecast").json()
    assert len(answer["days"]) == 30
    assert [list(day.values()) for day in answer["days"][:4]] == [
        ["2026-11-23", 3, 2, 0, 2, 1],
        ["2026-11-24", 1, 0, 1, 2, 1],
        ["2026-11-25", 1, 0, 0, 1, 0],
        ["2026-11-26", 0, 0, 0, 0, 0],
    ]


@pytest.mark.parametrize("path", ["forecast", "statistics"])
@pytest.mark.parametrize("days", ["0", "367", "many"])
def test_a_number_of_days_out_of_range_is_named(api, user_id, path, days):
    answer = api.client.get(f"/v1/users/{user_id}/{path}", params={"days": days})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "days"
