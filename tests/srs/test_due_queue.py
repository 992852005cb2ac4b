"""The due queue as a specification: which cards, in which order, how many, for which day."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import psycopg
import pytest

from tests.factories import make_card, make_due_queue, make_user
from worker.ids import uuid7
from worker.srs import store
from worker.srs.due_queue import DueQueue, local_days

AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)  # 10:00 in Jakarta
TODAY = date(2026, 11, 24)


def build(database: psycopg.Connection, *, at: datetime = AT, run_id: UUID | None = None) -> list[store.BuiltQueue]:
    everyone = UUID(int=0), UUID(int=2**128 - 1)
    days = local_days(store.day_rules(database), at)
    return store.build_due_queues(database, days, *everyone, run_id=run_id, now=at)


def queue_of(database: psycopg.Connection, user_id: UUID, **options: Any) -> DueQueue:
    for owner, _, as_json in build(database, **options):
        if owner == user_id:
            return msgspec.json.decode(as_json, type=DueQueue)
    raise AssertionError("no queue was built")


def card(database: psycopg.Connection, user_id: UUID, *, overdue: int = 0, **values: Any) -> UUID:
    """A review card, due `overdue` days ago."""
    values = {"next_review_date": TODAY - timedelta(overdue), "item_id": uuid4(), "id": uuid7()} | values
    return make_card(database, user_id=user_id, **values)


def new_card(database: psycopg.Connection, user_id: UUID, **values: Any) -> UUID:
    return card(database, user_id, **{"state": "new", "interval": 0, "last_reviewed_at": None} | values)


def learning_card(database: psycopg.Connection, user_id: UUID, **values: Any) -> UUID:
    return card(database, user_id, **{"state": "learning", "interval": 1, "is_learning": True} | values)


# --- which cards ---


def test_card_due_today_is_in_the_queue(database: psycopg.Connection) -> None:
    user = make_user(database)
    due = card(database, user, overdue=0)
    assert queue_of(database, user).card_ids == [due]


def test_card_due_tomorrow_is_not(database: psycopg.Connection) -> None:
    user = make_user(database)
    card(database, user, overdue=-1)
    assert queue_of(database, user).card_ids == []


def test_suspended_card_is_left_out_whatever_its_state(database: psycopg.Connection) -> None:
    user = make_user(database)
    card(database, user, is_suspended=True)
    learning_card(database, user, is_suspended=True)
    new_card(database, user, is_suspended=True)
    queue = queue_of(database, user)
    assert (queue.card_ids, queue.overdue_total) == ([], 0)


def test_another_learners_cards_stay_theirs(database: psycopg.Connection) -> None:
    user, other = make_user(database), make_user(database)
    card(database, other)
    mine = card(database, user)
    assert queue_of(database, user).card_ids == [mine]


# --- in which order ---


def test_learning_cards_come_before_the_most_overdue_review(database: psycopg.Connection) -> None:
    user = make_user(database)
    review = card(database, user, overdue=30, interval=1)
    learning = learning_card(database, user)
    relearning = learning_card(database, user, state="relearning")
    assert queue_of(database, user).card_ids == [learning, relearning, review]


def test_reviews_are_ordered_by_overdueness_relative_to_their_interval(database: psycopg.Connection) -> None:
    user = make_user(database)
    ten_days_of_a_hundred = card(database, user, overdue=10, interval=100)
    two_days_of_four = card(database, user, overdue=2, interval=4)
    three_days_of_three = card(database, user, overdue=3, interval=3)
    assert queue_of(database, user).card_ids == [three_days_of_three, two_days_of_four, ten_days_of_a_hundred]


def test_relative_overdueness_is_no_whole_number(database: psycopg.Connection) -> None:
    user = make_user(database)
    third = card(database, user, overdue=1, interval=3)
    half = card(database, user, overdue=1, interval=2)
    assert queue_of(database, user).card_ids == [half, third]


def test_learning_cards_are_ordered_by_overdueness_too(database: psycopg.Connection) -> None:
    user = make_user(database)
    fresh = learning_card(database, user, overdue=1)
    stale = learning_card(database, user, overdue=5)
    assert queue_of(database, user).card_ids == [stale, fresh]


def test_card_without_interval_counts_as_one_of_a_day(database: psycopg.Connection) -> None:
    user = make_user(database)
    one_day_of_two = card(database, user, overdue=1, interval=2)
    one_day_of_none = card(database, user, overdue=1, interval=0)
    assert queue_of(database, user).card_ids == [one_day_of_none, one_day_of_two]


def test_equally_overdue_reviews_come_by_date_then_by_id(database: psycopg.Connection) -> None:
    user = make_user(database)
    later = card(database, user, overdue=1, interval=2)
    second = card(database, user, overdue=2, interval=4, id=UUID(int=2))
    first = card(database, user, overdue=2, interval=4, id=UUID(int=1))
    assert queue_of(database, user).card_ids == [first, second, later]


def test_new_cards_come_last_the_oldest_first_then_by_id(database: psycopg.Connection) -> None:
    user = make_user(database)
    young = new_card(database, user, overdue=0)
    second = new_card(database, user, overdue=9, id=UUID(int=8))
    first = new_card(database, user, overdue=9, id=UUID(int=7))
    review = card(database, user)
    assert queue_of(database, user).card_ids == [review, first, second, young]


# --- how many ---


def test_review_limit_cuts_the_end_and_overdue_total_tells_what_was_due(database: psycopg.Connection) -> None:
    user = make_user(database, review_limit=3)
    learning = [learning_card(database, user, overdue=5 - n) for n in range(2)]
    reviews = [card(database, user, overdue=9 - n) for n in range(4)]
    queue = queue_of(database, user)
    assert queue.card_ids == [*learning, reviews[0]]
    assert (queue.learning, queue.review, queue.new, queue.overdue_total) == (2, 1, 0, 6)


def test_review_limit_cuts_learning_cards_as_well(database: psycopg.Connection) -> None:
    user = make_user(database, review_limit=1)
    kept = learning_card(database, user, overdue=2)
    learning_card(database, user, overdue=1)
    queue = queue_of(database, user)
    assert queue.card_ids == [kept]
    assert (queue.learning, queue.review, queue.overdue_total) == (1, 0, 2)


def test_new_limit_counts_new_cards_only(database: psycopg.Connection) -> None:
    user = make_user(database, review_limit=1, new_limit=2)
    review = card(database, user)
    new = [new_card(database, user, overdue=9 - n) for n in range(4)]
    queue = queue_of(database, user)
    assert queue.card_ids == [review, *new[:2]]
    assert (queue.learning, queue.review, queue.new) == (0, 1, 2)


@pytest.mark.parametrize(("review_limit", "new_limit"), [(0, 5), (5, 0), (0, 0)])
def test_limit_of_nought_means_none(database: psycopg.Connection, review_limit: int, new_limit: int) -> None:
    user = make_user(database, review_limit=review_limit, new_limit=new_limit)
    review, new = card(database, user), new_card(database, user)
    wanted = [review] * (review_limit > 0) + [new] * (new_limit > 0)
    assert queue_of(database, user).card_ids == wanted


def test_learner_without_preferences_gets_200_reviews_and_10_new_cards(database: psycopg.Connection) -> None:
    user = make_user(database)
    database.execute(
        """INSERT INTO srs_cards (user_id, item_id, state, next_review_date)
           SELECT %s, gen_random_uuid(), CASE WHEN n <= 250 THEN 'review' ELSE 'new' END, %s
           FROM generate_series(1, 300) AS n""",
        (user, TODAY),
    )
    queue = queue_of(database, user)
    assert (queue.learning, queue.review, queue.new, queue.overdue_total) == (0, 200, 10, 250)


def test_learner_without_cards_gets_an_empty_queue(database: psycopg.Connection) -> None:
    user = make_user(database)
    queue = queue_of(database, user)
    assert (queue.card_ids, queue.local_date, queue.overdue_total) == ([], TODAY, 0)


# --- for whom, and for which day ---


def test_inactive_learner_gets_no_queue(database: psycopg.Connection) -> None:
    user = make_user(database, is_active=False)
    card(database, user)
    assert build(database) == []


@pytest.mark.parametrize(
    ("timezone", "instant", "local_date"),
    [
        # The day begins at 04:00: 21:00, 20:00 and 19:00 UTC in the three Indonesian zones.
        ("Asia/Jakarta", "2026-11-23T20:59:59Z", "2026-11-23"),
        ("Asia/Jakarta", "2026-11-23T21:00:00Z", "2026-11-24"),
        ("Asia/Makassar", "2026-11-23T19:59:59Z", "2026-11-23"),
        ("Asia/Makassar", "2026-11-23T20:00:00Z", "2026-11-24"),
        ("Asia/Jayapura", "2026-11-23T18:59:59Z", "2026-11-23"),
        ("Asia/Jayapura", "2026-11-23T19:00:00Z", "2026-11-24"),
        # In New York it is 4 h behind UTC in summer and 5 h in winter: the same hour of the clock, not of UTC.
        ("America/New_York", "2026-10-31T07:59:59Z", "2026-10-30"),
        ("America/New_York", "2026-10-31T08:00:00Z", "2026-10-31"),
        ("America/New_York", "2026-11-01T08:59:59Z", "2026-10-31"),
        ("America/New_York", "2026-11-01T09:00:00Z", "2026-11-01"),
        ("America/New_York", "2027-03-14T07:59:59Z", "2027-03-13"),
        ("America/New_York", "2027-03-14T08:00:00Z", "2027-03-14"),
    ],
)
def test_queue_is_for_the_day_that_has_begun_where_the_learner_lives(
    database: psycopg.Connection, timezone: str, instant: str, local_date: str
) -> None:
    user = make_user(database, timezone=timezone)
    assert queue_of(database, user, at=datetime.fromisoformat(instant)).local_date == date.fromisoformat(local_date)


@pytest.mark.parametrize(("hour", "local_date"), [(0, "2026-11-24"), (10, "2026-11-24"), (11, "2026-11-23")])
def test_day_begins_at_the_hour_the_learner_chose(database: psycopg.Connection, hour: int, local_date: str) -> None:
    user = make_user(database, day_start_hour=hour)  # it is 10:00
    assert queue_of(database, user).local_date == date.fromisoformat(local_date)


def test_learner_in_an_unknown_zone_gets_jakartas_day_and_stops_nobody(database: psycopg.Connection) -> None:
    database.execute("ALTER TABLE users DISABLE TRIGGER USER")
    lost, found = make_user(database, timezone="Mars/Olympus"), make_user(database, timezone="Asia/Jayapura")
    days = local_days(store.day_rules(database), AT)
    assert days.learners_in_unknown_zones == 1
    assert {owner: day for owner, day, _ in build(database)} == {lost: TODAY, found: TODAY}


# --- once ---


def test_queue_that_exists_is_never_changed(database: psycopg.Connection) -> None:
    user = make_user(database)
    make_due_queue(database, user_id=user, local_date=TODAY)
    card(database, user)
    assert build(database) == []
    assert database.execute("SELECT card_ids FROM srs_due_queues").fetchall() == [([],)]


def test_second_run_builds_nothing_and_the_next_day_builds_again(database: psycopg.Connection) -> None:
    user = make_user(database)
    card(database, user)
    first, second, next_day = (build(database, at=AT + timedelta(hours=hours)) for hours in (0, 12, 24))
    assert [len(first), len(second), len(next_day)] == [1, 0, 1]


def test_same_cards_give_the_same_queue(database: psycopg.Connection) -> None:
    user = make_user(database)
    for n in range(40):
        card(database, user, overdue=n % 4, interval=1 + n % 3, is_learning=n % 5 == 0)
    queue = queue_of(database, user)
    database.execute("DELETE FROM srs_due_queues")
    database.execute("UPDATE srs_cards SET lapses = 1 WHERE id::text < '8'")  # moves rows about in the table
    assert queue_of(database, user) == queue


def test_queue_names_the_run_that_built_it(database: psycopg.Connection) -> None:
    make_user(database)
    run_id = uuid7()
    build(database, run_id=run_id)
    assert database.execute("SELECT run_id, built_at FROM srs_due_queues").fetchall() == [(run_id, AT)]


def test_plan_fits_the_range_however_often_the_statement_ran(database: psycopg.Connection) -> None:
    # A prepared statement's plan for any range is made for few learners, and takes quadratic time for many.
    for _ in range(2 * (database.prepare_threshold or 0) + 2):
        build(database)
    prepared = database.execute("SELECT statement FROM pg_prepared_statements").fetchall()
    assert prepared
    assert not [statement for (statement,) in prepared if "INSERT INTO srs_due_queues" in statement]
