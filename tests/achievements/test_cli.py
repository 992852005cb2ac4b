import json

import psycopg
import pytest
from typer.testing import CliRunner

from tests.factories import make_achievement, make_stats, make_user
from worker.cli import app


@pytest.fixture
def elp(database_url, redis_url):
    def run(*arguments):
        return CliRunner().invoke(app, ["achievements", *map(str, arguments)])

    return run


@pytest.fixture
def committed(database_url):
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


def test_the_catalogue_is_listed_with_how_many_hold_each_tier(elp, committed):
    make_achievement(committed, code="streak-7")
    found = {row["code"]: row for row in json.loads(elp("list", "--json").stdout)}
    assert found["streak-7"]["learners"] == 1
    assert found["streak-7"]["rule"] == {"longest_streak": 7}
    assert "7 days in a row" in elp("list").stdout


def test_an_award_is_shown_revoked_and_restored(elp, committed):
    user = make_user(committed)
    make_achievement(committed, user_id=user, code="streak-3", evidence={"counters": {"longest_streak": 3}})
    assert "longest_streak" in elp("show", user).stdout
    assert elp("revoke", user, "streak-3", "--reason", "shared account").exit_code == 0
    assert json.loads(elp("show", user, "--json").stdout)[0]["revoked_at"] is not None
    assert elp("revoke", user, "streak-3", "--reason", "again").exit_code != 0
    assert elp("restore", user, "streak-3", "--reason", "a mistake").exit_code == 0
    actions = committed.execute("SELECT action, actor FROM audit_log ORDER BY occurred_at").fetchall()
    assert [action for action, _ in actions] == ["achievement.revoked", "achievement.restored"]
    assert all(actor.startswith("cli:") for _, actor in actions)


def test_backfilling_is_one_command_with_a_dry_run(elp, committed):
    make_stats(committed, attempts=10, correct=10)
    dry = elp("backfill", "correct-10", "--dry-run")
    assert dry.exit_code == 0
    assert "correct-10" in dry.stdout
    assert committed.execute("SELECT count(*) FROM user_achievements").fetchone() == (0,)
    assert json.loads(elp("backfill", "correct-10", "--json").stdout)["items"] == 1
    assert committed.execute("SELECT code FROM user_achievements").fetchall() == [("correct-10",)]
    assert elp("backfill", "corect-10").exit_code != 0


def test_recounting_shows_drift_before_it_is_put_right(elp, committed):
    make_stats(committed, attempts=10, correct=10)
    assert json.loads(elp("recount", "--dry-run", "--json").stdout)["items"] == 1
    assert committed.execute("SELECT attempts FROM user_stats").fetchone() == (10,)
    assert json.loads(elp("recount", "--json").stdout)["items"] == 1
    assert committed.execute("SELECT attempts FROM user_stats").fetchone() == (0,)
