"""Periods, dunning, prices and transitions: the rules without a database."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.billing import transitions
from worker.billing.dunning import after_decline, is_payday, retry_instants
from worker.billing.errors import ForbiddenTransitionError
from worker.billing.periods import Period, Rhythm, boundary_day, grace_end, period_from, resumed, trial_period
from worker.billing.pricing import Coupon, Line, bill_period, prorate
from worker.billing.tax import tax_rate
from worker.clock import local_day, local_day_start

JAKARTA = "Asia/Jakarta"
ZONES = st.sampled_from([JAKARTA, "Asia/Makassar", "Asia/Jayapura", "America/New_York", "Australia/Lord_Howe", "UTC"])
RHYTHMS = st.sampled_from(
    [Rhythm("week"), Rhythm("week", 2), Rhythm("month"), Rhythm("month", 3), Rhythm("month", 6), Rhythm("year")]
)
DAYS = st.dates(date(2000, 1, 1), date(2040, 12, 31))


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo(JAKARTA))


def test_a_month_from_the_31st_ends_on_short_months_last_day_and_comes_back():
    days = [boundary_day(date(2027, 1, 31), Rhythm("month"), number) for number in range(5)]
    assert days == [date(2027, 1, 31), date(2027, 2, 28), date(2027, 3, 31), date(2027, 4, 30), date(2027, 5, 31)]
    assert boundary_day(date(2028, 1, 31), Rhythm("month"), 1) == date(2028, 2, 29)
    assert boundary_day(date(2028, 2, 29), Rhythm("year"), 1) == date(2029, 2, 28)
    assert boundary_day(date(2028, 2, 29), Rhythm("year"), 4) == date(2032, 2, 29)


@settings(max_examples=30)
@given(anchor=DAYS, rhythm=RHYTHMS, zone=ZONES)
def test_periods_tile_fifty_years_without_gap_overlap_or_drift(anchor, rhythm, zone):
    begins_at = start = local_day_start(anchor, zone, 0)
    number = 0
    while start < begins_at + timedelta(days=50 * 365):
        period = period_from(anchor, rhythm, start, zone)
        assert period.start == start < period.end
        number += 1
        assert local_day(period.end, zone, 0) == boundary_day(anchor, rhythm, number)
        assert period.end == local_day_start(boundary_day(anchor, rhythm, number), zone, 0)
        start = period.end


@given(anchor=DAYS, rhythm=RHYTHMS, zone=ZONES, offset=st.timedeltas(timedelta(0), timedelta(days=4_000)))
def test_a_period_from_any_instant_ends_at_the_first_boundary_after_it(anchor, rhythm, zone, offset):
    start = local_day_start(anchor, zone, 0) + offset
    end = period_from(anchor, rhythm, start, zone).end
    boundaries = [local_day_start(boundary_day(anchor, rhythm, number), zone, 0) for number in range(600)]
    assert end == next(instant for instant in boundaries if instant > start)


def test_a_trial_ends_on_the_anchor_and_without_one_today_is_due():
    trial, anchor = trial_period(at(2026, 3, 1, 15), 7, JAKARTA)
    assert (trial.start, trial.end, anchor) == (at(2026, 3, 1), at(2026, 3, 8), date(2026, 3, 8))
    none, anchor = trial_period(at(2026, 3, 1, 15), 0, JAKARTA)
    assert (none.end, anchor) == (at(2026, 3, 1), date(2026, 3, 1))


@given(
    used=st.timedeltas(timedelta(0), timedelta(days=31)),
    paused=st.timedeltas(timedelta(0), timedelta(days=300)),
    zone=ZONES,
)
def test_a_pause_gives_back_at_least_what_was_left_and_less_than_a_day_more(used, paused, zone):
    start = local_day_start(date(2026, 1, 1), zone, 0)
    period = Period(start, local_day_start(date(2026, 2, 1), zone, 0))
    paused_at = min(start + used, period.end - timedelta(seconds=1))
    now = paused_at + paused
    longer, anchor = resumed(period, paused_at, now, zone)
    left = period.end - paused_at
    assert longer.start == period.start
    assert local_day(longer.end, zone, 0) == anchor
    begun_at = local_day_start(local_day(now, zone, 0), zone, 0)
    assert left - timedelta(hours=1) <= longer.end - begun_at < left + timedelta(days=1, hours=1)  # clocks change


def test_soft_declines_are_tried_on_days_1_3_5_and_7_in_the_morning():
    due_at, ends_at = at(2026, 3, 5), at(2026, 3, 13)
    now, tries = due_at, []
    while (step := after_decline("soft", due_at, now, JAKARTA, ends_at)).retry_at is not None:
        tries.append(now := step.retry_at)
        assert not step.wants_method
    assert tries == [at(2026, 3, day, 10) for day in (6, 8, 10, 12)]
    assert step.wants_method


def test_a_try_waits_up_to_two_days_for_payday():
    assert retry_instants(at(2026, 3, 22), JAKARTA, at(2026, 3, 30)) == [at(2026, 3, day, 10) for day in (25, 27, 29)]


def test_a_hard_decline_asks_for_another_method_at_once():
    step = after_decline("hard", at(2026, 3, 5), at(2026, 3, 5), JAKARTA, at(2026, 3, 13))
    assert step.retry_at is None
    assert step.wants_method


@given(due_on=DAYS, grace=st.integers(0, 90), zone=ZONES)
def test_tries_come_in_order_in_local_mornings_before_the_grace_period_ends(due_on, grace, zone):
    due_at = local_day_start(due_on, zone, 0)
    ends_at = grace_end(due_at, grace, zone)
    tries = retry_instants(due_at, zone, ends_at)
    assert tries == sorted(set(tries))
    assert all(due_at < instant < ends_at and instant.astimezone(ZoneInfo(zone)).hour == 10 for instant in tries)
    assert len(tries) <= 4
    assert tries or grace == 0
    assert [is_payday(date(2026, 2, day)) for day in (1, 25, 28, 27)] == [True, True, True, False]


MONEY = st.integers(1, 10_000_000).map(Decimal)


@given(
    price=MONEY,
    introductory=st.none() | MONEY,
    percent=st.none() | st.decimals(Decimal("0.01"), 100, places=2),
    carried=st.none() | st.tuples(MONEY, MONEY).map(sorted),
    rate=st.sampled_from([Fraction(0), Fraction(1, 10), Fraction(11, 100)]),
)
def test_a_bills_lines_add_up_to_its_total_and_its_tax(price, introductory, percent, carried, rate):
    lines = [Line("proration_credit", -carried[0]), Line("proration_charge", carried[1])] if carried else []
    bill = bill_period(
        price=price,
        introductory_price=introductory,
        coupon=Coupon(percent_off=percent) if percent else None,
        carried=lines,
        rate=rate,
        currency="IDR",
    )
    assert bill.total == sum(line.amount for line in bill.lines) >= 0
    assert bill.tax == sum(line.tax for line in bill.lines)
    assert abs(bill.tax - Decimal(bill.total) * rate.numerator / (rate.denominator + rate.numerator)) <= Decimal("0.5")


@given(price=MONEY, off=MONEY)
def test_a_coupon_never_takes_more_than_the_price(price, off):
    assert Coupon(amount_off=off).discount(price, "IDR") == min(off, price)
    assert Coupon(percent_off=Decimal(100)).discount(price, "IDR") == price


@given(old=MONEY, more=MONEY, seconds=st.integers(0, 31 * 86_400))
def test_proration_keeps_and_gives_back_exactly_the_old_price(old, more, seconds):
    period = Period(at(2026, 1, 1), at(2026, 2, 1))
    now = period.start + timedelta(seconds=seconds)
    credit, charge = prorate(old, old + more, period, now, "IDR")
    assert 0 <= -credit.amount <= old
    assert charge.amount + credit.amount >= 0
    whole = 31 * 86_400
    kept = old + credit.amount
    assert abs(kept - old * seconds / whole) <= Decimal("0.5")


def test_prorating_at_the_periods_edges_is_all_or_nothing():
    period = Period(at(2026, 1, 1), at(2026, 2, 1))
    amounts = [line.amount for line in prorate(Decimal(50_000), Decimal(90_000), period, period.start, "IDR")]
    assert amounts == [Decimal(-50_000), Decimal(90_000)]
    assert [line.amount for line in prorate(Decimal(50_000), Decimal(90_000), period, period.end, "IDR")] == [0, 0]


@pytest.mark.parametrize(
    ("currency", "day", "rate"),
    [
        ("IDR", date(2022, 3, 31), Fraction(10, 100)),
        ("IDR", date(2022, 4, 1), Fraction(11, 100)),
        ("IDR", date(2025, 1, 1), Fraction(11, 100)),
        ("USD", date(2026, 1, 1), Fraction(0)),
    ],
)
def test_tax_is_that_of_the_day_in_rupiah_alone(currency, day, rate):
    assert tax_rate(currency, day) == rate


def test_a_cancelled_subscription_stays_cancelled():
    with pytest.raises(ForbiddenTransitionError, match="is cancelled and cannot become active"):
        transitions.check(uuid4(), "cancelled", "active")
    transitions.check(uuid4(), "past_due", "active")
