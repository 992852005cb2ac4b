"""Content out of the database and back, by the command line."""

import json

import psycopg
import pytest
from typer.testing import CliRunner

from tests.factories import make_lesson, make_question
from worker.cli import app


@pytest.fixture
def committed(database_url, redis_url):
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


def elp(*arguments):
    return CliRunner().invoke(app, ["content", *map(str, arguments)])


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_what_is_exported_goes_in_again_and_changes_nothing(committed, tmp_path, ending):
    questions = [make_question(committed), make_question(committed, type="matching", topic='a, "b"\nc')]
    make_lesson(committed, question_ids=questions)
    for table, rows in (("questions", 2), ("lessons", 1), ("lesson_questions", 2)):
        file = tmp_path / f"{table}.{ending}"
        assert elp("export", table, file).exit_code == 0
        done = elp("import", table, file, "--json")
        assert (done.exit_code, json.loads(done.stdout)["unchanged"]) == (0, rows)
    stored = committed.execute("SELECT * FROM questions ORDER BY id").fetchall()
    committed.execute("DELETE FROM lessons")
    committed.execute("DELETE FROM questions")
    for table in ("questions", "lessons", "lesson_questions"):
        assert elp("import", table, tmp_path / f"{table}.{ending}").exit_code == 0
    columns = "id, stem, options, answer_key, topic, type"
    assert [row[0] for row in committed.execute("SELECT id FROM questions ORDER BY id")] == [row[0] for row in stored]
    assert len(committed.execute(f"SELECT {columns} FROM questions").fetchall()) == 2
    assert committed.execute("SELECT count(*) FROM lesson_questions").fetchone() == (2,)


def test_an_export_goes_to_standard_output_and_can_be_narrowed(committed):
    make_lesson(committed, level="A1")
    make_lesson(committed, level="B2")
    done = elp("export", "lessons", "--where", "level=B2")
    (line,) = done.stdout.splitlines()
    assert json.loads(line)["level"] == "B2"
    assert not {"search_vector", "updated_at"} & json.loads(line).keys()
    assert elp("export", "lessons", "--where", "colour=red").exit_code == 2


def test_bad_lines_are_reported_and_the_good_ones_taken_or_none(committed, tmp_path):
    file = tmp_path / "lessons.csv"
    file.write_text(
        "id,slug,title,level,skill\n"
        "00000000-0000-4000-8000-000000000001,good,Good,A1,grammar\n"
        "00000000-0000-4000-8000-000000000002,bad,Bad,C9,grammar\n",
        encoding="utf-8",
    )
    done = elp("import", "lessons", file, "--all-or-nothing")
    assert done.exit_code != 0
    assert committed.execute("SELECT count(*) FROM lessons").fetchone() == (0,)
    done = elp("import", "lessons", file)
    assert done.exit_code == 1
    assert "line 3: level:" in done.stderr
    assert "1 new" in done.stdout
    assert committed.execute("SELECT slug FROM lessons").fetchall() == [("good",)]


def test_a_file_whose_ending_tells_no_format_needs_one(committed, tmp_path):
    file = tmp_path / "lessons.txt"
    file.write_text("", encoding="utf-8")
    assert elp("import", "lessons", file).exit_code == 2
