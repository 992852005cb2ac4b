"""`elp tryouts` as editors and operators use it."""

import json

import psycopg
import pytest
from typer.testing import CliRunner

from tests.factories import make_question, make_tryout_session
from tests.factories_tryouts import RIGHT, WRONG, make_form, make_item_calibration, make_signal, make_sitting
from worker.cli import app
from worker.tryouts.score import score_waiting


def elp(*arguments, code=0):
    result = CliRunner().invoke(app, ["tryouts", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result.stdout


def test_rescoring_shows_who_would_change_then_who_did_and_changes_shows_it_again(committed, redis_url):
    set_id, ids = make_form(committed)
    session_id = make_sitting(committed, set_id, [(ids[0], WRONG)])
    make_sitting(committed, set_id, [(ids[1], RIGHT)])
    score_waiting()
    committed.execute("""UPDATE questions SET answer_key = '{"correct": "a"}' WHERE id = %s""", [ids[0]])
    (would,) = json.loads(elp("rescore", set_id, "--reason", "key of question 1", "--dry-run", "--json"))
    assert (would["session_id"], would["from"], would["to"]) == (str(session_id), "0.0000", "1.0000")
    (change,) = json.loads(elp("rescore", set_id, "--reason", "key of question 1", "--json"))
    assert (change["session_id"], change["earlier_raw_score"], change["raw_score"], change["reason"]) == (
        str(session_id), "0.0000", "1.0000", "key of question 1",
    )  # fmt: skip
    assert json.loads(elp("changes", set_id, "--json")) == [change]
    assert "no score changed" in elp("rescore", set_id, "--reason", "again")


def test_rescoring_of_an_unknown_set_fails_with_the_remedy(committed, redis_url):
    assert "no question set" in elp("rescore", "00000000-0000-0000-0000-000000000000", "--reason", "x", code=1)


@pytest.mark.parametrize("values", [{"scheme": {"kind": "mystery"}}, {}])
def test_check_names_sets_that_cannot_be_scored_and_questions_that_cannot_be_graded(committed, values):
    good, _ = make_form(committed)
    assert "nothing wrong" in elp("check")
    bad, ids = make_form(committed, **values)
    if not values:
        committed.execute("UPDATE questions SET answer_key = '{}' WHERE id = %s", [ids[0]])
    (problem,) = json.loads(elp("check", "--json", code=1))
    assert problem["set_id"] == str(bad) != str(good)
    assert "scheme.kind" in problem["problem"] or str(ids[0]) in problem["problem"]


def test_flags_shows_the_newest_calibration_only(committed):
    mended, bad = make_question(committed), make_question(committed)
    make_item_calibration(committed, question_id=mended, flags=["misfit"])
    make_item_calibration(committed, question_id=mended)
    make_item_calibration(committed, question_id=bad, flags=["negative_discrimination"], discrimination=-0.5)
    (row,) = json.loads(elp("flags", "--json"))
    assert (row["question_id"], row["flags"]) == (str(bad), ["negative_discrimination"])
    assert "negative_discrimination" in elp("flags")


def test_signals_shows_both_sittings_of_a_pair(committed: psycopg.Connection):
    assert "no signals" in elp("signals")
    other = make_tryout_session(committed)
    make_signal(committed, other_session_id=other, evidence={"identical_wrong_answers": 20})
    (row,) = json.loads(elp("signals", "--json"))
    assert (row["kind"], row["other_session_id"]) == ("similar_answers", str(other))
