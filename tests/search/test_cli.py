"""`elp search`."""

import json

from typer.testing import CliRunner

from tests.factories import make_lesson, make_question
from worker.cli import app
from worker.search.refresh import refresh


def elp(*arguments):
    return CliRunner().invoke(app, ["search", *arguments])


def by_kind(done):
    return {each["kind"]: each for each in json.loads(done.stdout)}


def test_status_tells_what_waits_by_its_exit_code(committed, redis_url):
    make_question(committed)
    done = elp("status", "--json")
    assert done.exit_code == 1
    assert (by_kind(done)["question"]["marks"], by_kind(done)["lesson"]["marks"]) == (1, 0)
    refresh(max_seconds=60)
    done = elp("status")
    assert done.exit_code == 0
    assert "question" in done.stdout


def test_rebuild_computes_all_anew_and_writes_what_differs(committed, redis_url):
    questions = [make_question(committed) for _ in range(5)]
    make_lesson(committed)
    refresh(max_seconds=60)
    committed.execute("UPDATE questions SET search_vector = 'wrong' WHERE id = ANY(%s)", [questions[:3]])
    done = elp("rebuild", "--batch", "2")
    assert done.exit_code == 0, done.output
    assert "3 written here" in done.stdout
    assert elp("status", "--json").exit_code == 0
    assert committed.execute("SELECT count(*) FROM questions WHERE search_vector = 'wrong'::tsvector").fetchone() == (
        0,
    )


def test_a_rebuild_that_was_stopped_is_gone_on_with(committed, redis_url):
    for _ in range(5):
        make_question(committed)
    refresh(max_seconds=60)
    committed.execute("UPDATE questions SET search_vector = NULL")
    # As one that was stopped after it had marked and worked off those up to the second: these stay as they are.
    ids = [row[0] for row in committed.execute("SELECT id FROM questions ORDER BY id")]
    committed.execute(
        "UPDATE search_state SET version = 0, marked_through = %s WHERE object_type = 'question'", [ids[1]]
    )
    assert elp("status", "--json").exit_code == 1
    done = elp("rebuild", "--resume")
    assert "3 written here" in done.stdout
    assert elp("rebuild", "--kind", "question").stdout.count("2 written here") == 1
