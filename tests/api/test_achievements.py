from datetime import UTC, date, datetime
from uuid import uuid4

from tests.factories import insert_row, make_achievement, make_stats, make_user

AWARDED_AT = datetime(2026, 11, 24, 5, tzinfo=UTC)


def of(api, user_id):
    answer = api.client.get(f"/v1/users/{user_id}/achievements")
    assert answer.status_code == 200, answer.text
    return answer.json()


def entry(found, code):
    (only,) = (each for each in found["achievements"] if each["code"] == code)
    return only


def test_awards_and_the_way_to_the_next_tier_are_shown(api, committed):
    user = make_user(committed)
    make_stats(committed, user_id=user, attempts=60, correct=45)
    for day in (1, 2, 3, 4):
        insert_row(committed, "user_days", user_id=user, local_date=date(2026, 11, day), attempts=15, correct=10)
    make_achievement(committed, user_id=user, code="correct-10", awarded_at=AWARDED_AT)
    make_achievement(committed, user_id=user, code="streak-3", awarded_at=AWARDED_AT, revoked_at=AWARDED_AT)
    found = of(api, user)
    assert found["awarded"] == 1
    correct, streak = entry(found, "correct"), entry(found, "streak")
    assert correct["next"] == {"code": "correct-100", "value": 45, "threshold": 100}
    assert correct["tiers"][0] == {
        "code": "correct-10",
        "threshold": 10,
        "name_id": "10 jawaban benar",
        "name_en": "10 correct answers",
        "description_id": "Jawab 10 soal dengan benar",
        "description_en": "Answer 10 questions correctly",
        "awarded_at": "2026-11-24T05:00:00Z",
    }
    assert streak["next"] == {"code": "streak-7", "value": 4, "threshold": 7}
    assert not any("awarded_at" in tier for tier in streak["tiers"])


def test_who_has_done_nothing_yet_sees_all_that_there_is(api, committed):
    found = of(api, make_user(committed))
    assert found["awarded"] == 0
    assert entry(found, "first-lesson")["next"] == {"code": "first-lesson", "value": 0, "threshold": 1}


def test_once_everything_is_awarded_nothing_is_next(api, committed):
    user = make_user(committed)
    make_achievement(committed, user_id=user, code="comeback")
    assert entry(of(api, user), "comeback")["next"] is None


def test_an_unknown_learner_is_not_found_and_the_token_is_needed(api):
    answer = api.client.get(f"/v1/users/{uuid4()}/achievements")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:elp:problem:unknown-learner")
    url = f"/v1/users/{uuid4()}/achievements"
    assert api.client.get(url, headers={"Authorization": "Bearer no"}).status_code == 401
