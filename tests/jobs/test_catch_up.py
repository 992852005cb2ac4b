"""Catch-up: which missed periods run and which are skipped, as a rule and through the ledger."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise, takewhile

import pytest
from freezegun import freeze_time
from hypothesis import given
from hypothesis import strategies as st

from worker import clock
from worker.db import transaction
from worker.jobs import control
from worker.jobs.catch_up import LATE_AFTER, decide, undecided
from worker.jobs.execution import start_due, start_run, work_on_run
from worker.jobs.periods import LatestPeriods, Schedule, latest_period, periods_after

NOW = datetime(2026, 11, 24, 3, 0, 10, tzinfo=UTC)
DAY = timedelta(days=1)
QUARTER = timedelta(minutes=15)
EPOCH = datetime(2024, 1, 1, tzinfo=UTC)
HOURLY = Schedule("0 * * * *")

instants = st.timedeltas(timedelta(0), timedelta(days=6 * 365)).map(lambda passed: EPOCH + passed)
schedules = st.builds(
    Schedule,
    st.sampled_from(["0 * * * *", "*/15 * * * *", "30 2 * * *", "0 3 * * 1", "0 0 1 * *"]),
    st.sampled_from(["UTC", "Asia/Jakarta", "America/New_York", "Australia/Lord_Howe"]),
)
outages = st.timedeltas(timedelta(0), timedelta(days=60))
horizons = st.timedeltas(timedelta(minutes=1), timedelta(days=40))
policies = st.sampled_from(["all", "latest", "none"])


def between(schedule: Schedule, after: datetime, until: datetime) -> list[datetime]:
    return list(takewhile(lambda period: period <= until, periods_after(schedule, after)))


# --- the rule ---


@given(schedules, instants, outages, horizons)
def test_each_period_within_the_horizon_is_undecided_and_one_stands_for_those_before(
    schedule: Schedule, now: datetime, outage: timedelta, horizon: timedelta
) -> None:
    covered = latest_period(schedule, now - outage)
    missed = between(schedule, covered, now)
    found = undecided(schedule, covered, horizon, now)
    recent = [period for period in missed if now - period <= horizon]
    assert found == missed[-len(recent) - 1 :] if len(missed) > len(recent) else found == missed


@given(schedules, instants, outages, horizons, policies)
def test_every_period_gets_one_decision_in_order_and_a_later_look_finds_none_left(
    schedule: Schedule, now: datetime, outage: timedelta, horizon: timedelta, policy
) -> None:
    periods = undecided(schedule, latest_period(schedule, now - outage), horizon, now)
    decisions = decide(policy, horizon, periods, now)
    assert [each.period for each in decisions] == periods
    assert all(earlier < later for earlier, later in pairwise(periods))
    assert all(each.reason for each in decisions)
    if periods:
        assert undecided(schedule, periods[-1], horizon, now) == []


@given(schedules, instants, outages, horizons, policies)
def test_policy_decides_what_runs(
    schedule: Schedule, now: datetime, outage: timedelta, horizon: timedelta, policy
) -> None:
    periods = undecided(schedule, latest_period(schedule, now - outage), horizon, now)
    run = [each.period for each in decide(policy, horizon, periods, now) if each.decision == "run"]
    recent = [period for period in periods if now - period <= horizon]
    expected = {
        "all": recent,
        "latest": [period for period in recent if period == periods[-1]],
        "none": [period for period in recent if period == periods[-1] and now - period <= LATE_AFTER],
    }
    assert run == expected[policy]


@given(schedules, instants, st.lists(st.timedeltas(timedelta(0), timedelta(days=3)), max_size=5))
def test_policy_all_runs_each_period_once_however_often_one_looks(
    schedule: Schedule, start: datetime, looks: list[timedelta]
) -> None:
    covered, now, run = latest_period(schedule, start), start, []
    for step in looks:
        now += step
        periods = undecided(schedule, covered, timedelta(days=40), now)
        run += [each.period for each in decide("all", timedelta(days=40), periods, now) if each.decision == "run"]
        covered = periods[-1] if periods else covered
    assert run == between(schedule, latest_period(schedule, start), now)


def test_new_job_begins_with_its_latest_period() -> None:
    assert undecided(HOURLY, None, DAY, NOW) == [NOW.replace(second=0)]


def test_only_the_newest_and_punctual_period_counts_as_started_by_the_schedule() -> None:
    periods = undecided(Schedule("*/5 * * * *"), NOW - timedelta(minutes=9), DAY, NOW)
    assert [each.trigger for each in decide("all", DAY, periods, NOW)] == ["catch_up", "schedule"]
    late = decide("all", DAY, [NOW - LATE_AFTER - timedelta(seconds=1)], NOW)
    assert [each.trigger for each in late] == ["catch_up"]


@given(schedules, instants, st.lists(st.timedeltas(-timedelta(hours=3), timedelta(days=40)), max_size=8))
def test_latest_period_that_is_remembered_is_the_one_that_is_computed(
    schedule: Schedule, instant: datetime, steps: list[timedelta]
) -> None:
    latest = LatestPeriods()
    for step in steps:
        instant += step
        assert latest.at(schedule, instant) == latest_period(schedule, instant)


# --- through the ledger ---


def states(ledger) -> list[tuple[datetime, str, str]]:
    return ledger.query("SELECT period, state, trigger FROM job_runs ORDER BY period")


def run_at(instant: datetime, name: str = "test.count") -> None:
    """Bring the job up to date at that instant and finish what was started."""
    with freeze_time(instant):
        for started in start_due(name).started:
            work_on_run(started.run.run_id)


def test_period_that_has_just_begun_runs_once_however_often_it_is_asked_for(declare, ledger) -> None:
    declare("test.count", schedule="*/15 * * * *")
    for _ in range(3):
        run_at(NOW)
    assert states(ledger) == [(NOW.replace(second=0), "succeeded", "schedule")]


@pytest.mark.parametrize(
    ("policy", "ran", "skipped"), [("all", 24 * 4 * 7, 0), ("latest", 1, 24 * 4 * 7 - 1), ("none", 1, 24 * 4 * 7 - 1)]
)
def test_a_week_down_is_caught_up_by_the_jobs_policy(declare, ledger, policy: str, ran: int, skipped: int) -> None:
    declare("test.count", schedule="*/15 * * * *", catch_up=policy)
    run_at(NOW)
    with freeze_time(NOW + 7 * DAY):
        due = start_due("test.count")
    assert (len(due.started), due.skipped, due.is_complete) == (ran, skipped, True)
    periods = [period for period, _, _ in states(ledger)]
    assert periods == [NOW.replace(second=0) + n * QUARTER for n in range(24 * 4 * 7 + 1)]
    with freeze_time(NOW + 7 * DAY):
        assert start_due("test.count").started == []


def test_skipped_period_is_explained_and_finished(declare, ledger) -> None:
    declare("test.count", schedule="0 * * * *", catch_up="latest")
    run_at(NOW)
    run_at(NOW + timedelta(hours=2))
    ((state, error, finished_at),) = ledger.query(
        "SELECT state, error, finished_at FROM job_runs WHERE period = '2026-11-24T04:00Z'"
    )
    assert state == "skipped"
    assert error == "a later period, 2026-11-24T05:00Z, stands for it (catch-up: latest)"
    assert finished_at == NOW + timedelta(hours=2)


def test_periods_beyond_the_horizon_leave_one_line_that_stands_for_all(declare, ledger) -> None:
    declare("test.count", schedule="0 * * * *", catch_up="all", horizon=timedelta(hours=3))
    run_at(NOW)
    run_at(NOW + timedelta(hours=100))
    lines = ledger.query("SELECT state, error FROM job_runs ORDER BY period")
    assert [state for state, _ in lines] == ["succeeded", "skipped", "succeeded", "succeeded", "succeeded"][
        : len(lines)
    ]
    assert "older than the job's horizon of 3 hours" in lines[1][1]


def test_time_up_in_a_long_catch_up_leaves_the_rest_to_the_next_call(declare, ledger) -> None:
    declare("test.count", schedule="0 * * * *", catch_up="all")
    run_at(NOW)
    with freeze_time(NOW + timedelta(hours=3)):
        assert not start_due("test.count", budget_s=0).is_complete
        assert len(states(ledger)) == 1
        assert start_due("test.count").is_complete
    assert len(states(ledger)) == 4


def test_manual_run_neither_stands_for_a_period_nor_moves_the_mark(declare, ledger) -> None:
    declare("test.count", schedule="0 * * * *", catch_up="all")
    run_at(NOW)
    start_run("test.count", NOW + timedelta(hours=2, minutes=30), trigger="manual")
    run_at(NOW + timedelta(hours=2))
    assert [trigger for _, _, trigger in states(ledger)] == ["schedule", "catch_up", "schedule", "manual"]


def test_clock_that_ran_ahead_and_was_put_back_stops_nothing(declare, ledger) -> None:
    declare("test.count", schedule="0 * * * *", catch_up="all", horizon=timedelta(hours=5))
    run_at(NOW)
    run_at(NOW + 300 * DAY)
    run_at(NOW + timedelta(hours=2))
    periods = [period for period, state, _ in states(ledger) if state == "succeeded"]
    assert [NOW.replace(second=0) + n * timedelta(hours=1) for n in range(3)] == periods[:3]
    run_at(NOW + timedelta(hours=3))
    assert NOW.replace(second=0) + timedelta(hours=3) in [period for period, _, _ in states(ledger)]


# --- pauses ---


def test_paused_job_starts_nothing_and_its_policy_decides_at_the_resumption(declare, ledger) -> None:
    declared = declare("test.count", schedule="0 * * * *", catch_up="latest")
    run_at(NOW)
    with transaction() as connection:
        assert control.pause(connection, "test.count", NOW)
        assert not control.pause(connection, "test.count", NOW)
        assert control.paused(connection) == {"test.count"}
    run_at(NOW + timedelta(hours=3))
    assert len(states(ledger)) == 1
    with transaction() as connection:
        missed = control.missed_periods(connection, [declared], NOW + timedelta(hours=3))
        assert [each.decision for each in missed] == ["skip", "skip", "run"]
        assert control.resume(connection, "test.count", NOW)
        assert not control.resume(connection, "test.count", NOW)
        assert control.paused(connection) == set()
    run_at(NOW + timedelta(hours=3))
    assert [state for _, state, _ in states(ledger)] == ["succeeded", "skipped", "skipped", "succeeded"]
    with transaction() as connection:
        assert control.missed_periods(connection, [declared], NOW + timedelta(hours=3)) == []


def test_job_paused_before_its_first_run_begins_with_the_pause(declare, ledger) -> None:
    declare("test.count", schedule="0 * * * *", catch_up="all")
    with transaction() as connection:
        control.pause(connection, "test.count", NOW)
        control.resume(connection, "test.count", NOW)
    run_at(NOW + timedelta(hours=2))
    assert len(states(ledger)) == 2


def test_shards_of_a_paused_job_wait_but_those_of_a_run_by_hand_do_not(declare, ledger) -> None:
    declare("test.count", schedule="0 * * * *", shards=2)
    waiting = start_run("test.count", NOW.replace(second=0)).run.run_id
    by_hand = start_run("test.count", NOW, trigger="manual").run.run_id
    with transaction() as connection:
        control.pause(connection, "test.count", clock.now())
    assert [work_on_run(run_id).done for run_id in (waiting, by_hand)] == [0, 2]
    with transaction() as connection:
        control.resume(connection, "test.count", clock.now())
    assert work_on_run(waiting).done == 2
