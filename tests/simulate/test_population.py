"""Simulated learners: a seed decides who they are, and their year has what time brings out."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from worker import clock
from worker.simulate.population import FAR_ZONES, make_population, sittings_of_day

START = datetime(2026, 1, 1, tzinfo=UTC)
YEAR = (START, datetime(2027, 1, 1, tzinfo=UTC))


def test_the_same_seed_gives_the_same_people() -> None:
    assert make_population(50, *YEAR, Random(7)) == make_population(50, *YEAR, Random(7))
    assert make_population(50, *YEAR, Random(7)) != make_population(50, *YEAR, Random(8))


def test_a_population_has_every_kind_of_life() -> None:
    residents = make_population(200, *YEAR, Random(1))
    assert {resident.learner.timezone for resident in residents} >= set(FAR_ZONES)
    assert len({resident.day_start_hour for resident in residents}) > 10
    assert min(Counter(resident.device for resident in residents).values()) >= 4
    assert {resident.scheduler for resident in residents} == {"sm2", "fsrs"}
    assert sum(bool(resident.moves) for resident in residents) >= 10


@pytest.mark.parametrize("zone", FAR_ZONES)
def test_the_far_zones_are_known_to_this_machine(zone: str) -> None:
    assert clock.zone(zone).key == zone


def test_a_traveller_is_where_the_last_move_led() -> None:
    traveller = next(one for one in make_population(200, *YEAR, Random(1)) if len(one.moves) > 1)
    first, second = traveller.moves[:2]
    assert traveller.zone_at(first.at - timedelta(seconds=1)) == traveller.learner.timezone
    assert traveller.zone_at(first.at) == first.zone
    assert traveller.zone_at(second.at) == second.zone


@pytest.mark.parametrize("day", [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)])
def test_each_sitting_begins_in_its_day_and_is_delivered_after_it(day: datetime) -> None:
    residents = make_population(200, *YEAR, Random(1))
    sittings = sittings_of_day(residents, day, Random(1))
    assert sittings
    for sitting in sittings:
        assert day <= sitting.begins_at < day + timedelta(days=1)
        assert sitting.begins_at < sitting.delivered_at
        assert sitting.delivered_at.minute % 15 == 7
        late = sitting.delivered_at - sitting.begins_at > timedelta(hours=2)
        assert not late or sitting.resident.device == "offline"
