"""The counters that SQL reads against a plain model, and against the pipeline in any order of arrival."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.attempts.pipeline import drain, inside, send
from tests.factories import (
    insert_row,
    make_lesson,
    make_progress,
    make_question,
    make_stats,
    make_tryout_session,
    make_user,
)
from tests.samples import ANSWERS
from worker.achievements import store
from worker.clock import local_day

TODAY = date(2026, 11, 24)
_days = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 9), st.integers(0, 9), st.booleans(), st.booleans()),
    min_size=1,
    max_size=40,
    unique_by=lambda day: day[0],
)


def counters_of(connection, user_id):
    ((_, _, counters),) = store.load_learners(connection, [user_id])
    return counters


def write_days(connection, user_id, days):
    for number, attempts, correct, early, late in days:
        row = {"local_date": TODAY + timedelta(days=number), "attempts": attempts, "correct": min(correct, attempts)}
        counts = {"early": int(early), "late": int(late and attempts > early)}
        insert_row(connection, "user_days", user_id=user_id, **row | counts)


def longest(numbers, forgiven=0):
    """Return most active days in a row, trying every beginning."""
    best = 0
    for first in numbers:
        day, days, missed = first, 0, 0
        while day in numbers or (missed < forgiven and day + 1 in numbers):
            days, missed, day = days + (day in numbers), missed + (day not in numbers), day + 1
        best = max(best, days)
    return best


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_days)
def test_habits_are_what_a_plain_model_says(database, days):
    with database.transaction(force_rollback=True):
        user = make_user(database)
        make_stats(database, user_id=user)
        write_days(database, user, days)
        found = counters_of(database, user)
    numbers = {day[0] for day in days}
    in_order, newest = sorted(numbers), max(numbers)
    week = [day for day in days if newest - day[0] < 7]
    assert found.active_days == len(days)
    assert found.longest_streak == longest(numbers)
    assert found.longest_streak_frozen == longest(numbers, forgiven=1)
    assert found.current_streak == next(n for n in range(1, 99) if newest - n not in numbers)
    assert found.comebacks == sum(later - day > 30 for day, later in pairwise(in_order))
    assert found.early_days == sum(early for *_, early, _ in days)
    assert found.late_days == sum(late and attempts > early for _, attempts, _, early, late in days)
    assert found.week_attempts == sum(day[1] for day in week)
    assert found.week_accuracy == 100 * sum(min(day[1], day[2]) for day in week) // found.week_attempts


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.integers(0, 24 * 20), min_size=1, max_size=30),
    st.sampled_from(["Asia/Jakarta", "America/New_York", "Australia/Lord_Howe"]),
    st.sampled_from([0, 4, 11]),
    st.randoms(use_true_random=False),
)
def test_late_arrivals_repair_the_streak_whatever_their_order(database, hours, zone, day_start_hour, random):
    begin = datetime(2026, 10, 20, 7, 30, tzinfo=UTC)  # the zones' clocks change within the span
    instants = [begin + timedelta(hours=hour) for hour in hours]
    days = {local_day(at, zone, day_start_hour).toordinal() for at in instants}
    with database.transaction(force_rollback=True):
        user, question = make_user(database, timezone=zone, day_start_hour=day_start_hour), make_question(database)
        random.shuffle(instants)
        for at in instants:
            send(database, user, question, ANSWERS["multiple_choice"], at)
            if random.random() < 0.5:
                drain(inside(database), user)
        drain(inside(database), user)
        found = counters_of(database, user)
    assert found.longest_streak == longest(days)
    assert found.active_days == len(days)


def test_a_move_to_another_zone_leaves_the_days_before_it_as_they_were(database):
    user, question = make_user(database, timezone="Asia/Jakarta"), make_question(database)
    night = datetime(2026, 11, 24, 22, 0, tzinfo=UTC)  # the 25th in Jakarta
    send(database, user, question, ANSWERS["multiple_choice"], night)
    drain(inside(database), user)
    database.execute("UPDATE users SET timezone = 'America/New_York' WHERE id = %s", [user])
    send(database, user, question, ANSWERS["multiple_choice"], night + timedelta(hours=24))  # the 25th there
    drain(inside(database), user)
    assert database.execute("SELECT local_date, attempts FROM user_days WHERE user_id = %s", [user]).fetchall() == [
        (date(2026, 11, 25), 2)
    ]
    assert database.execute("SELECT day_zone, day_rule_changes FROM user_stats").fetchone() == ("America/New_York", 1)


def test_units_and_levels_count_when_every_published_lesson_is_complete(database):
    user = make_user(database)
    make_stats(database, user_id=user, lessons_started=3, lessons_completed=3)
    lessons = [make_lesson(database, path="p", unit=unit, level="B2") for unit in ("1", "1", "2")]
    make_lesson(database, path="p", unit="1", level="B2", status="draft")
    done = {"status": "completed", "completed_at": datetime(2026, 11, 24, tzinfo=UTC)}
    for lesson, units, levels in zip(lessons, (0, 1, 2), (0, 0, 1), strict=True):
        make_progress(database, user_id=user, lesson_id=lesson, **done)
        found = counters_of(database, user)
        assert (found.units_completed, found.levels_completed) == (units, levels)


@pytest.mark.parametrize(("state", "points", "perfect"), [("scored", 10, 1), ("scored", 9, 0), ("submitted", 10, 0)])
def test_a_perfect_tryout_is_a_scored_one_with_all_points(database, state, points, perfect):
    user = make_user(database)
    make_stats(database, user_id=user)
    scored = {"scored_at": datetime(2027, 1, 1, tzinfo=UTC)}
    make_tryout_session(database, user_id=user, state=state, raw_score=points, max_score=10, **scored)
    assert counters_of(database, user).perfect_tryouts == perfect
