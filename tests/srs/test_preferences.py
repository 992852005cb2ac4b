"""Which wishes go together."""

import msgspec
import pytest

from worker.models import UserPreferences
from worker.srs.preferences import PreferenceChanges, Preferences, changed, faults


def wished(**values):
    return changed(Preferences(), msgspec.convert(values, PreferenceChanges))


def test_the_defaults_go_together():
    assert faults(Preferences()) == []


def test_every_wish_of_the_schema_can_be_read_and_changed():
    columns = {column.name for column in UserPreferences.__table__.columns} - {"user_id", "created_at", "updated_at"}
    assert set(Preferences.__struct_fields__) == columns
    assert set(PreferenceChanges.__struct_fields__) == columns


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"desired_retention": 0.905}, "desired_retention"),
        ({"minimum_interval": 30, "maximum_interval": 7}, "minimum_interval"),
        ({"weekday_weights": [0] * 7}, "weekday_weights"),
        ({"vacation_from": "2026-12-20"}, "vacation_until"),
        ({"vacation_until": "2026-12-20"}, "vacation_from"),
        ({"vacation_from": "2026-12-20", "vacation_until": "2026-12-19"}, "vacation_until"),
    ],
)
def test_wishes_that_do_not_go_together_are_named(values, field):
    assert [name for name, _ in faults(wished(**values))] == [field]


def test_only_what_was_given_changes():
    assert wished(new_limit=5, scheduler="fsrs") == Preferences(new_limit=5)


def test_a_vacation_is_ended_by_null():
    away = wished(vacation_from="2026-12-20", vacation_until="2026-12-21")
    back = changed(away, msgspec.convert({"vacation_from": None, "vacation_until": None}, PreferenceChanges))
    assert back == Preferences()
