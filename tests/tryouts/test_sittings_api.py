"""A tryout over HTTP: its whole life, whatever is sent twice, late, wrongly or for someone else."""

import threading
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest
from freezegun import freeze_time

from tests.api.server import ApiServer
from tests.factories import make_question_set, make_user
from tests.factories_tryouts import RIGHT, WRONG, make_form
from tests.support.servers import clone_template, drop_database
from worker.clock import now
from worker.ids import uuid7
from worker.tryouts.score import ScoreReport, score_batch

AT = "2026-11-24T09:00:00+00:00"


@pytest.fixture(scope="module")
def url(maintenance_url, worker_name):
    name = f"elp_{worker_name}_tryouts_api"
    yield clone_template(maintenance_url, name)
    drop_database(maintenance_url, name)


@pytest.fixture(scope="module")
def api(url):
    with ApiServer(url, tryout_grace_seconds=30) as server:
        yield server


@pytest.fixture
def committed(url):
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def sitting(api, committed):
    """A sitting that has begun, through the API."""
    return Client(api, committed).create().start()


class Client:
    """A learner's app."""

    def __init__(self, api, connection, **form):
        self.http = api.client
        self.connection = connection
        self.set_id, self.questions = make_form(connection, **{"time_limit_seconds": 600, **form})
        self.user_id = make_user(connection)
        self.id = uuid7()

    def create(self, **values):
        new = {"id": self.id, "user_id": self.user_id, "question_set_id": self.set_id} | values
        self.answer = self.http.post("/v1/tryouts", json={name: str(value) for name, value in new.items()})
        return self

    def start(self, **values):
        return self._post("start", **values)

    def submit(self, **values):
        return self._post("submit", **values)

    def _post(self, what, user_id=None):
        body = {"user_id": str(user_id or self.user_id)}
        self.answer = self.http.post(f"/v1/tryouts/{self.id}/{what}", json=body)
        return self

    def put(self, *answers, user_id=None):
        body = {"user_id": str(user_id or self.user_id), "answers": list(answers)}
        self.answer = self.http.put(f"/v1/tryouts/{self.id}/answers", json=body)
        return self

    def given(self, number, answer, **values):
        return {"question_id": str(self.questions[number]), "answer": answer, "answered_at": AT} | values

    def stored(self):
        rows = self.connection.execute(
            "SELECT question_id, answer, sequence FROM tryout_answers WHERE tryout_session_id = %s", [self.id]
        )
        return {self.questions.index(question): (answer, sequence) for question, answer, sequence in rows}

    def row(self, columns):
        return self.connection.execute(f"SELECT {columns} FROM tryout_sessions WHERE id = %s", [self.id]).fetchone()

    def score(self):
        score_batch(self.connection, ScoreReport(), 100, now())
        return self.http.get(f"/v1/tryouts/{self.id}").json()


def problem(client):
    return client.answer.status_code, client.answer.json()["type"].removeprefix("urn:elp:problem:")


def test_tryout_from_its_creation_to_its_result(api, committed):
    client = Client(
        api, committed, skills=("grammar", "reading"), scheme={"kind": "deduction", "right": 4, "wrong": -1}
    )
    assert client.create().answer.json()["state"] == "created"
    begun = client.start().answer.json()
    length = datetime.fromisoformat(begun["deadline_at"]) - datetime.fromisoformat(begun["started_at"])
    assert (begun["state"], length) == ("in_progress", timedelta(minutes=10))
    saved = client.put(client.given(0, RIGHT, time_spent_ms=900), client.given(1, WRONG), client.given(2, None))
    assert saved.answer.json() == {"saved": [str(each) for each in client.questions[:3]], "kept": [], "errors": []}
    submitted = client.submit().answer.json()
    assert (submitted["state"], submitted["is_late"]) == ("submitted", False)
    result = client.score()
    assert (result["state"], result["raw_score"], result["max_score"]) == ("scored", "3.0000", "16.0000")
    assert (result["percentile"], result["cohort"]) == ("100.00", 1)
    assert result["result"]["skills"]["grammar"]["right"] == 1


def test_submission_leaves_one_entry_for_a_scorer(sitting, committed):
    sitting.submit()
    key = f"tryouts.score_waiting:{str(sitting.id)[-1]}"
    entries = committed.execute("SELECT count(*) FROM job_outbox WHERE dedupe_key = %s", [key])
    assert entries.fetchone() == (1,)


def test_everything_may_be_sent_again(sitting):
    first = sitting.start().answer.json()
    assert sitting.create().start().answer.json() == first
    answer = sitting.given(0, RIGHT)
    sitting.put(answer)
    assert sitting.put(answer).answer.json() == {"saved": [], "kept": [answer["question_id"]], "errors": []}
    submitted = sitting.submit().answer.json()
    again = sitting.submit().answer
    assert (again.status_code, again.json()) == (200, submitted)


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        ({"sequence": 1}, {"sequence": 2}, "second"),
        ({"sequence": 2}, {"sequence": 1}, "first"),
        ({"sequence": 1}, {"sequence": 1}, "first"),
        ({"sequence": 1}, {"sequence": 1, "answered_at": "2026-11-24T09:00:01+00:00"}, "second"),
        ({"sequence": 2}, {"sequence": 1, "answered_at": "2026-11-24T09:00:01+00:00"}, "first"),
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_higher_sequence_wins_then_the_later_answer(sitting, first, second, kept, together):
    answers = [sitting.given(0, RIGHT, **first), sitting.given(0, WRONG, **second)]
    if together:
        sitting.put(*answers)
    else:
        for each in answers:
            sitting.put(each)
    assert sitting.stored()[0][0] == (RIGHT if kept == "first" else WRONG)


def test_wrong_answers_of_a_request_are_named_and_do_not_stop_the_others(sitting):
    stranger = {"question_id": str(uuid4()), "answer": RIGHT, "answered_at": AT}
    sitting.put(stranger, sitting.given(0, {"choice": "z"}), sitting.given(1, RIGHT))
    body = sitting.answer.json()
    assert body["saved"] == [str(sitting.questions[1])]
    assert [(error["index"], error["field"]) for error in body["errors"]] == [(0, "question_id"), (1, "answer.choice")]
    assert list(sitting.stored()) == [1]


def test_question_that_left_the_set_is_refused_and_what_was_answered_stays(sitting):
    sitting.put(sitting.given(0, RIGHT))
    sitting.connection.execute("DELETE FROM questionset_questions WHERE question_id = %s", [sitting.questions[0]])
    assert sitting.put(sitting.given(0, WRONG, sequence=9)).answer.json()["errors"][0]["field"] == "question_id"
    assert sitting.stored() == {0: (RIGHT, 0)}


def test_answer_to_a_broken_question_is_kept_for_the_day_it_is_mended(sitting):
    sitting.connection.execute("UPDATE questions SET answer_key = '{}' WHERE id = %s", [sitting.questions[0]])
    assert sitting.put(sitting.given(0, RIGHT)).answer.json()["errors"] == []


def test_another_learner_s_sitting_is_refused_for_every_call(sitting):
    stranger = make_user(sitting.connection)
    assert problem(sitting.start(user_id=stranger)) == (403, "foreign-tryout")
    assert problem(sitting.put(sitting.given(0, RIGHT), user_id=stranger)) == (403, "foreign-tryout")
    assert problem(sitting.submit(user_id=stranger)) == (403, "foreign-tryout")
    assert problem(sitting.create(user_id=stranger)) == (409, "tryout-id-taken")
    assert (sitting.stored(), sitting.row("state")) == ({}, ("in_progress",))


def test_unknown_things_are_not_found(api, committed):
    client = Client(api, committed)
    assert problem(client.start()) == (404, "unknown-tryout")
    assert problem(client.submit()) == (404, "unknown-tryout")
    assert problem(client.put(client.given(0, RIGHT))) == (404, "unknown-tryout")
    assert problem(client.create(question_set_id=uuid4())) == (404, "unknown-question-set")
    assert problem(client.create(user_id=uuid4())) == (404, "unknown-user")
    for page in ("", "/result.html"):
        assert client.http.get(f"/v1/tryouts/{client.id}{page}").status_code == 404


def test_set_without_questions_or_not_published_cannot_be_sat(api, committed):
    client = Client(api, committed)
    assert problem(client.create(question_set_id=make_question_set(committed))) == (409, "empty-tryout")
    draft = make_form(committed, status="draft")[0]
    assert problem(client.create(question_set_id=draft)) == (409, "question-set-not-published")


def test_sitting_that_has_not_begun_takes_neither_answers_nor_submission(api, committed):
    client = Client(api, committed).create()
    assert problem(client.put(client.given(0, RIGHT))) == (409, "tryout-not-started")
    assert problem(client.submit()) == (409, "tryout-not-started")
    assert client.row("submitted_at") == (None,)


@pytest.mark.parametrize(("after_s", "status", "is_late"), [(630, 200, False), (631, 409, True)])
def test_grace_decides_what_is_late(api, committed, after_s, status, is_late):
    begun_at = datetime(2026, 11, 24, 9, tzinfo=UTC)
    client = Client(api, committed)
    with freeze_time(begun_at, real_asyncio=True) as clock:
        client.create().start()
        clock.tick(timedelta(seconds=after_s))
        assert client.put(client.given(0, RIGHT)).answer.status_code == status
        client.submit()
    assert client.row("is_late, state, submitted_at") == (is_late, "submitted", begun_at + timedelta(seconds=after_s))


def test_late_submission_of_a_sitting_that_was_closed_is_recorded_and_changes_no_score(api, committed):
    client = Client(api, committed).create().start()
    client.put(client.given(0, RIGHT))
    committed.execute("UPDATE tryout_sessions SET state = 'expired' WHERE id = %s", [client.id])
    assert client.score()["raw_score"] == "1.0000"
    submitted = client.submit().answer.json()
    assert (submitted["state"], submitted["is_late"]) == ("scored", True)
    assert client.score()["raw_score"] == "1.0000"
    assert problem(client.put(client.given(1, RIGHT))) == (409, "tryout-closed")


def test_two_submissions_at_once_are_one(api, committed):
    client = Client(api, committed).create().start()
    answers = []
    start = threading.Barrier(4)

    def submit():
        start.wait()
        body = {"user_id": str(client.user_id)}
        answers.append(client.http.post(f"/v1/tryouts/{client.id}/submit", json=body).json()["submitted_at"])

    threads = [threading.Thread(target=submit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    assert len(set(answers)) == 1


def test_answers_that_race_with_a_submission_are_saved_before_it_or_refused(api, committed):
    for _ in range(10):
        client = Client(api, committed, questions=12).create().start()
        begin, saved = threading.Barrier(4), list[set[str]]()

        def put(numbers, client=client, begin=begin, saved=saved):
            body = {"user_id": str(client.user_id), "answers": [client.given(number, RIGHT) for number in numbers]}
            begin.wait(30)
            answer = client.http.put(f"/v1/tryouts/{client.id}/answers", json=body)
            if answer.status_code == 200:
                saved.append(set(answer.json()["saved"]))
            else:
                assert answer.json()["type"] == "urn:elp:problem:tryout-closed"

        senders = [threading.Thread(target=put, args=[range(first, first + 4)]) for first in (0, 4, 8)]
        for sender in senders:
            sender.start()
        begin.wait(30)
        client.submit()
        for sender in senders:
            sender.join(30)
        promised = set().union(*saved)
        assert {str(client.questions[number]) for number in client.stored()} == promised
        assert client.score()["raw_score"] == f"{len(promised)}.0000"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"user_id": "x"}', "user_id"),
        (b'{"user_id": "3f1c9f0e-6a0b-4d57-9a39-0c7f4f2b8d11", "answers": []}', "answers"),
        (b'{"user_id": "3f1c9f0e-6a0b-4d57-9a39-0c7f4f2b8d11", "answers": [{}]}', "answers[0]"),
        (b"[]", ""),
    ],
)
def test_body_that_is_no_list_of_answers_is_refused_by_field(sitting, body, field):
    answer = sitting.http.put(f"/v1/tryouts/{sitting.id}/answers", content=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


@pytest.mark.parametrize("answer", [{"choice": "a\u0000"}, {"choice": "b", "more": 10**40}])
def test_answer_that_cannot_be_kept_is_refused_by_field(sitting, answer):
    sitting.put(sitting.given(0, answer))
    assert (sitting.answer.status_code, sitting.answer.json()["errors"][0]["field"]) == (422, "answers[0].answer")


def test_body_that_is_no_json_is_refused(sitting):
    answer = sitting.http.put(f"/v1/tryouts/{sitting.id}/answers", content=b"{")
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:elp:problem:not-json")
