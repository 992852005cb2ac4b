"""Outages as they are written, and when everything is up again."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.simulate.errors import SimulationPeriodError
from worker.simulate.outages import Outage, parse_instant, parse_outage, up_again_at
from worker.simulate.scenario import Scenario

START = datetime(2026, 3, 28, tzinfo=UTC)
minutes = st.integers(min_value=0, max_value=5_000)


def outage(begins: int, ends: int) -> Outage:
    return Outage(START + timedelta(minutes=begins), START + timedelta(minutes=ends))


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-28", START),
        ("2026-03-28T12:30Z", START + timedelta(hours=12, minutes=30)),
        ("2026-03-28T12:30", START + timedelta(hours=12, minutes=30)),
        ("2026-03-28T19:30+07:00", START + timedelta(hours=12, minutes=30)),
    ],
)
def test_a_date_is_its_midnight_in_utc_and_an_instant_itself(text: str, instant: datetime) -> None:
    assert parse_instant(text) == instant


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "2026-03-28/", "2026-03-28", "2026-03-29/2026-03-28"])
def test_an_outage_that_cannot_be_is_refused_with_the_way_to_write_it(text: str) -> None:
    with pytest.raises(SimulationPeriodError, match=r"write|before"):
        parse_outage(text)


def test_an_outage_holds_its_beginning_and_not_its_end() -> None:
    one = parse_outage("2026-03-28/2026-03-29")
    assert one.begins_at in one
    assert one.ends_at not in one


@given(minutes, st.lists(st.tuples(minutes, minutes).filter(lambda pair: pair[0] < pair[1]), max_size=6))
def test_up_again_is_the_first_instant_outside_of_all_outages(at: int, spans: list[tuple[int, int]]) -> None:
    outages = [outage(*span) for span in spans]
    instant = START + timedelta(minutes=at)
    expected = instant
    while any(expected in one for one in outages):
        expected += timedelta(minutes=1)
    assert up_again_at(instant, outages) == expected


@pytest.mark.parametrize(
    ("begins", "ends", "outages"),
    [(0, 0, []), (10, 0, []), (0, 100, [(0, 10)]), (0, 100, [(90, 100)]), (0, 100, [(90, 200)])],
)
def test_a_scenario_without_time_or_with_an_outage_at_its_edge_is_refused(
    begins: int, ends: int, outages: list
) -> None:
    with pytest.raises(SimulationPeriodError):
        Scenario(
            START + timedelta(minutes=begins),
            START + timedelta(minutes=ends),
            outages=[outage(*one) for one in outages],
        )
