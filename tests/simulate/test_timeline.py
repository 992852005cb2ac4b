"""Events come in the order of virtual time."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from worker.simulate.timeline import NewDay, Tick, Timeline

START = datetime(2026, 1, 1, tzinfo=UTC)


@given(st.lists(st.integers(min_value=0, max_value=50)))
def test_instants_come_in_order_each_once_with_all_its_events(minutes: list[int]) -> None:
    timeline = Timeline(START + timedelta(days=1))
    for minute in minutes:
        timeline.add(START + timedelta(minutes=minute), Tick(timedelta(minutes=minute)))
    instants = list(timeline.instants())
    assert [at for at, _ in instants] == sorted({START + timedelta(minutes=minute) for minute in minutes})
    assert sorted(event.again_after for _, events in instants for event in events) == sorted(
        timedelta(minutes=minute) for minute in minutes
    )


def test_events_of_one_instant_keep_the_order_in_which_they_were_added() -> None:
    timeline = Timeline(START + timedelta(days=1))
    events = [NewDay(), Tick(), NewDay()]
    for event in events:
        timeline.add(START, event)
    assert list(timeline.instants()) == [(START, events)]


def test_events_may_be_added_while_others_happen() -> None:
    timeline = Timeline(START + timedelta(hours=3))
    timeline.add(START, Tick())
    seen = []
    for at, _ in timeline.instants():
        seen.append(at)
        timeline.add(at + timedelta(hours=1), Tick())
    assert seen == [START, START + timedelta(hours=1), START + timedelta(hours=2)], "what lies at the end is dropped"
