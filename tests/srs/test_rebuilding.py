"""Changed wishes and travels: whose queue is built again, and what it then holds."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import msgspec
import pytest

from tests.factories import make_card, make_due_queue, make_preferences, make_stats, make_user
from worker.ids import uuid7
from worker.srs import store
from worker.srs.due_queue import DueQueue

AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)  # 10:00 in Jakarta
TODAY = date(2026, 11, 24)


def asked_for(database):
    """Return the learners of each outbox entry."""
    rows = database.execute("SELECT task, payload FROM job_outbox ORDER BY id").fetchall()
    assert all(task == "srs.rebuild_due_queues" for task, _ in rows)
    return [payload["user_ids"] for _, payload in rows]


def served(database, **values):
    """A learner with a queue."""
    user = make_user(database, **values)
    make_due_queue(database, user_id=user, local_date=TODAY)
    return user


def due(database, user, **values):
    card = {"id": uuid7(), "item_id": uuid4(), "next_review_date": TODAY - timedelta(1)} | values
    return make_card(database, user_id=user, **card)


def rebuild(database, *users, at=AT):
    built, removed = store.rebuild_due_queues(database, users, at)
    return {user: msgspec.json.decode(queue, type=DueQueue) for user, _, queue in built}, set(removed)


@pytest.mark.parametrize(
    "change",
    ["new_limit = 1", "review_limit = 1", "day_start_hour = 5", "bury_siblings = 'word'", "new_order = 'mixed'",
     "vacation_from = '2026-11-24', vacation_until = '2026-11-24'", "backlog_days = 3"],
)  # fmt: skip
def test_a_changed_wish_about_the_queue_asks_for_it_again(database, change):
    user = served(database, new_limit=9)
    database.execute(f"UPDATE user_preferences SET {change}")
    assert asked_for(database) == [[str(user)]]


@pytest.mark.parametrize("change", ["new_limit = 9", "desired_retention = 0.8", "notifications = '{}'"])
def test_other_changes_ask_for_nothing(database, change):
    served(database, new_limit=9)
    database.execute(f"UPDATE user_preferences SET {change}")
    assert asked_for(database) == []


def test_first_wishes_and_a_new_zone_ask_for_the_queue_again(database):
    user = served(database)
    make_preferences(database, user_id=user)
    database.execute("UPDATE users SET timezone = 'Asia/Jayapura'")
    database.execute("UPDATE users SET full_name = 'Budi'")
    assert asked_for(database) == [[str(user)], [str(user)]]


def test_learner_who_never_had_a_queue_is_left_to_the_job(database):
    make_user(database, new_limit=9)
    database.execute("UPDATE user_preferences SET new_limit = 1")
    assert asked_for(database) == []


def test_a_rebuilt_queue_follows_the_wishes_and_others_stay(database):
    user, other = (served(database, new_limit=1) for _ in range(2))
    cards = [
        due(database, user, state="new", interval=0, last_reviewed_at=None, next_review_date=TODAY - timedelta(9 - age))
        for age in range(3)
    ]
    due(database, other)
    queues, removed = rebuild(database, user)
    assert queues.keys() == {user}
    assert queues[user].card_ids == cards[:1]
    assert removed == {(user, TODAY)}


def test_what_was_done_this_morning_counts_for_the_limits_and_does_not_come_again(database):
    user = served(database, review_limit=2, new_limit=2)
    morning = AT - timedelta(hours=1)
    make_stats(database, user_id=user, last_attempted_at=morning)
    tomorrow = TODAY + timedelta(1)
    due(database, user, next_review_date=tomorrow, last_reviewed_at=morning)
    due(database, user, next_review_date=tomorrow, last_reviewed_at=morning, introduced_at=morning)
    before = [TODAY - timedelta(days) for days in (3, 2)]
    waiting = [due(database, user, next_review_date=day) for day in before]
    fresh = [
        due(database, user, state="new", interval=0, last_reviewed_at=None, next_review_date=day) for day in before
    ]
    queues, _ = rebuild(database, user)
    assert queues[user].card_ids == [waiting[0], fresh[0]]


def test_traveller_west_over_the_date_line_gets_the_date_again_without_what_is_done(database):
    at = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)  # the 24th, 16:00 in Auckland; the 23rd, 17:00 in Honolulu
    user = served(database, timezone="Pacific/Auckland")
    make_stats(database, user_id=user, last_attempted_at=at - timedelta(hours=2))
    due(database, user, next_review_date=TODAY + timedelta(9), last_reviewed_at=at - timedelta(hours=2))
    waiting = due(database, user, next_review_date=TODAY - timedelta(2))
    due(database, user, next_review_date=TODAY)  # falls due tomorrow, on the second 24th
    database.execute("UPDATE users SET timezone = 'Pacific/Honolulu'")
    queues, removed = rebuild(database, user, at=at)
    assert removed == {(user, TODAY)}
    assert (queues[user].local_date, queues[user].card_ids) == (TODAY - timedelta(1), [waiting])


def test_traveller_east_over_the_date_line_loses_no_card_of_the_skipped_date(database):
    at = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)  # the 24th, 08:00 in Honolulu; the 25th, 07:00 in Auckland
    user = served(database, timezone="Pacific/Honolulu")
    cards = [due(database, user, next_review_date=TODAY + timedelta(days)) for days in (-1, 0, 1)]
    database.execute("UPDATE users SET timezone = 'Pacific/Auckland'")
    queues, removed = rebuild(database, user, at=at)
    assert (queues[user].local_date, sorted(queues[user].card_ids)) == (TODAY + timedelta(1), sorted(cards))
    assert removed == set()


def test_rebuilding_twice_gives_the_same_queue(database):
    user = served(database)
    due(database, user)
    assert rebuild(database, user) == rebuild(database, user)
