"""A learner's wishes over the API."""

from uuid import uuid4

import msgspec
import pytest

from tests.factories import make_user
from worker.srs.preferences import Preferences


@pytest.fixture
def user_id(committed):
    return make_user(committed)


def change(api, user_id, **wishes):
    return api.client.patch(f"/v1/users/{user_id}/preferences", json=wishes)


def wishes_of(api, user_id):
    return api.client.get(f"/v1/users/{user_id}/preferences").json()


def test_a_learner_who_wished_nothing_has_the_defaults_of_the_schema(api, committed, user_id):
    assert wishes_of(api, user_id) == msgspec.to_builtins(Preferences())
    committed.execute("INSERT INTO user_preferences (user_id) VALUES (%s)", (user_id,))
    assert wishes_of(api, user_id) == msgspec.to_builtins(Preferences())


def test_what_is_wished_changes_and_the_rest_stays(api, user_id):
    first = change(api, user_id, scheduler="sm2", desired_retention=0.92, new_limit=0)
    assert first.status_code == 200
    change(api, user_id, review_order="lowest_retrievability", weekday_weights=[100, 100, 100, 100, 100, 50, 0])
    change(api, user_id, vacation_from="2026-12-20", vacation_until="2027-01-03", notifications={"push": False})
    found = wishes_of(api, user_id)
    assert (found["scheduler"], found["desired_retention"], found["new_limit"]) == ("sm2", 0.92, 0)
    assert (found["review_order"], found["weekday_weights"][-1]) == ("lowest_retrievability", 0)
    assert (found["vacation_from"], found["notifications"]) == ("2026-12-20", {"push": False})
    assert change(api, user_id, vacation_from=None, vacation_until=None).json()["vacation_from"] is None


def test_a_change_that_changes_nothing_writes_nothing(api, committed, user_id):
    change(api, user_id, new_limit=3)
    before = committed.execute("SELECT xmin FROM user_preferences WHERE user_id = %s", (user_id,)).fetchone()
    assert change(api, user_id, new_limit=3).status_code == 200
    assert committed.execute("SELECT xmin FROM user_preferences WHERE user_id = %s", (user_id,)).fetchone() == before


@pytest.mark.parametrize(
    ("wishes", "fields"),
    [
        ({"desired_retention": 0.5}, ["desired_retention"]),
        ({"desired_retention": 0.905}, ["desired_retention"]),
        ({"scheduler": "leitner", "new_limit": -1}, ["scheduler", "new_limit"]),
        ({"weekday_weights": [100] * 6}, ["weekday_weights"]),
        ({"weekday_weights": [0] * 7}, ["weekday_weights"]),
        ({"vacation_from": "2026-12-20"}, ["vacation_until"]),
        ({"minimum_interval": 9, "maximum_interval": 3}, ["minimum_interval"]),
        ({"learning_steps_s": [0]}, ["learning_steps_s"]),
        ({"new_limits": 3}, ["new_limits"]),
        ({"new_limit": None}, ["new_limit"]),
    ],
)
def test_a_wish_that_can_not_be_is_named_and_nothing_changes(api, user_id, wishes, fields):
    answer = change(api, user_id, daily_goal=77, **wishes)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == fields
    assert wishes_of(api, user_id)["daily_goal"] == 20


def test_an_unknown_learner_has_no_wishes(api):
    for answer in (api.client.get(f"/v1/users/{uuid4()}/preferences"), change(api, uuid4(), new_limit=3)):
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:elp:problem:unknown-learner")


def test_a_learner_with_wrong_wishes_gets_no_row(api, committed, user_id):
    change(api, user_id, vacation_from="2026-12-20")
    assert committed.execute("SELECT FROM user_preferences WHERE user_id = %s", (user_id,)).fetchone() is None
