"""Identifiers carry their time and their lane."""

from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from worker.ids import LANES, lane_of, uuid7, uuid7_series

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

instants = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(9999, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@given(instants)
def test_uuid7_carries_the_millisecond_of_its_instant(at: datetime) -> None:
    assert uuid7(at).int >> 80 == (at - EPOCH) // timedelta(milliseconds=1)


@given(instants, instants)
def test_uuid7_of_a_later_microsecond_sorts_later(one: datetime, other: datetime) -> None:
    earlier, later = sorted((one, other))
    if later > earlier:
        assert uuid7(earlier) < uuid7(later)


@given(instants)
def test_uuid7_says_version_7_of_rfc_9562(at: datetime) -> None:
    identifier = uuid7(at)
    assert identifier.version == 7
    assert identifier.variant == "specified in RFC 4122"


def test_uuid7_of_one_instant_is_different_each_time() -> None:
    at = datetime(2026, 11, 24, tzinfo=UTC)
    assert len({uuid7(at) for _ in range(1_000)}) == 1_000


def test_uuid7_without_an_instant_carries_the_present() -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    carried = EPOCH + timedelta(milliseconds=uuid7().int >> 80)
    assert before <= carried <= datetime.now(UTC)


@given(st.uuids())
def test_lane_is_the_low_four_bits_of_the_id(user_id: UUID) -> None:
    assert lane_of(user_id) == int(str(user_id)[-1], 16)
    assert 0 <= lane_of(user_id) < LANES


@given(instants)
def test_a_series_of_uuid7_carries_its_instant_in_ascending_order(at: datetime) -> None:
    series = [UUID(bytes=each) for each in uuid7_series(40, at)]
    assert series == sorted(set(series))
    assert {each.int >> 80 for each in series} == {(at - EPOCH) // timedelta(milliseconds=1)}
    assert {(each.version, each.variant) for each in series} == {(7, RFC_4122)}


def test_a_long_series_of_uuid7_stays_in_order() -> None:
    series = uuid7_series(40_000, EPOCH)
    assert series == sorted(set(series))
