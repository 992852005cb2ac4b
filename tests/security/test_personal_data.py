"""All of a person is exported, and all of them goes but what was paid."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
import redis
from psycopg import sql
from typer.testing import CliRunner

from tests.factories import (
    make_achievement,
    make_api_token,
    make_attempt,
    make_card,
    make_due_queue,
    make_event,
    make_inbox_attempt,
    make_preferences,
    make_progress,
    make_rejection,
    make_stats,
    make_tryout_answer,
    make_tryout_session,
    make_user,
    make_user_day,
)
from tests.factories_operations import make_subscription, make_transaction
from tests.models.tables import FACTORIES
from worker.audit.verify import list_entries
from worker.cli import app
from worker.models import Base
from worker.security.passwords import make_hash
from worker.security.personal_data import KEPT, SECRET, UnknownUserError, erase, export, holdings

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
HASH = make_hash("correct horse", 4)


def make_person(connection: psycopg.Connection[Any], *, paid: bool) -> UUID:
    user = make_user(connection, full_name="Dewi Lestari", email=f"dewi-{uuid4().hex}@example.org", password_hash=HASH)
    for make in (make_preferences, make_stats, make_user_day, make_due_queue, make_achievement, make_progress):
        make(connection, user_id=user)
    for make in (make_card, make_attempt, make_inbox_attempt, make_rejection, make_event, make_api_token):
        make(connection, user_id=user)
    make_tryout_answer(connection, tryout_session_id=make_tryout_session(connection, user_id=user))
    if paid:
        subscription = make_subscription(connection, user_id=user, payment_token_encrypted=b"gAAAAAtoken")
        make_transaction(connection, user_id=user, subscription_id=subscription)
    return user


def left_of(connection: psycopg.Connection[Any], user: UUID) -> set[str]:
    """The tables in which a person still has rows."""
    return {
        holding.table
        for holding in holdings(connection)
        if connection.execute(
            sql.SQL("SELECT FROM {} WHERE {} LIMIT 1").format(sql.Identifier(holding.table), holding.rows_of(user))
        ).fetchone()
        is not None
    }


def test_every_table_that_refers_to_an_account_is_known(database):
    known = {holding.table for holding in holdings(database)}
    referring = {
        table.name
        for table in Base.metadata.sorted_tables
        if "user_id" in table.columns or any(key.column.table.name == "users" for key in table.foreign_keys)
    }
    assert referring <= known
    assert {"users", "tryout_answers", "payment_transactions", "attempt_inbox"} <= known
    assert known <= set(FACTORIES)


def test_export_has_every_row_of_the_person_and_none_of_another(database):
    user, other = make_person(database, paid=True), make_person(database, paid=True)
    exported = export(database, user)
    assert set(exported) == left_of(database, user)
    text = json.dumps(exported)
    assert "Dewi Lestari" in text
    assert str(other) not in text
    assert all(len(rows) == 1 for rows in exported.values())
    for secret in ("password_hash", "token_hash", "payment_token_encrypted", HASH):
        assert secret not in text


def test_no_secret_column_is_exported(database):
    secret = {
        column.name
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if column.name.endswith(("_hash", "_encrypted", "_secret"))
    }
    exported = {column for holding in holdings(database) for column in holding.columns}
    assert not secret & exported
    assert secret & SECRET


def test_erased_person_without_payments_is_gone_altogether(database):
    user, other = make_person(database, paid=False), make_person(database, paid=False)
    before = left_of(database, other)
    gone = erase(database, user, actor="cli:test", now=NOW)
    assert left_of(database, user) == set()
    assert gone["srs_cards"] == gone["users"] == 1
    assert left_of(database, other) == before


def test_erased_person_who_paid_leaves_their_payments_without_a_name(database):
    user = make_person(database, paid=True)
    erase(database, user, actor="cli:test", now=NOW)
    assert left_of(database, user) == {"users", *KEPT}
    row = database.execute(
        "SELECT email, full_name, password_hash, is_active, payment_token_encrypted, payment_transactions.amount::int "
        "FROM users JOIN subscriptions ON user_id = users.id "
        "JOIN payment_transactions ON subscription_id = subscriptions.id WHERE users.id = %s",
        (user,),
    ).fetchone()
    assert row == (f"erased-{user}@erased.invalid", "Erased", None, False, None, 99_000)
    assert "Dewi" not in json.dumps(export(database, user))
    erase(database, user, actor="cli:test", now=NOW)  # again changes nothing more


def test_erasure_is_in_the_audit_log_with_ids_alone(database):
    user = make_person(database, paid=True)
    erase(database, user, actor="cli:test", now=NOW)
    (entry,) = list_entries(database, object_type="user", object_id=str(user), limit=5)
    assert (entry.action, entry.actor) == ("user.erased", "cli:test")
    assert "Dewi" not in str(entry)
    assert "dewi" not in str(entry)


def test_unknown_person_is_neither_exported_nor_erased(database):
    for action in (export, lambda *args: erase(*args, actor="cli:test", now=NOW)):
        with pytest.raises(UnknownUserError):
            action(database, uuid4())


@pytest.fixture
def elp(database_url: str, redis_url: str) -> Callable[..., str]:
    def run(*arguments: str, stdin: str | None = None) -> str:
        result = CliRunner().invoke(app, arguments, input=stdin, env={"COLUMNS": "200", "ELP_PASSWORD_COST": "4"})
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.stdout

    return run


def test_account_lives_from_its_making_to_its_erasure_at_the_command_line(elp, database_url, redis_url, tmp_path):
    user = elp("users", "create", "budi@example.org", "--name", "Budi", "--password", stdin="correct horse\n").strip()
    assert "learner → teacher" in elp("users", "role", user, "teacher")
    elp("users", "password", user, stdin="another horse\n")
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT role, left(password_hash, 7) FROM users WHERE id = %s", (user,)).fetchone()
        assert row == ("teacher", "$2b$04$")
    assert json.loads(elp("users", "export", user))["users"][0]["email"] == "budi@example.org"
    elp("users", "export", user, "--output", str(tmp_path / "budi.json"))
    assert (tmp_path / "budi.json").stat().st_mode & 0o777 == 0o600
    with redis.Redis.from_url(redis_url) as client:
        client.hset(f"elp:sessions:{user}", "a" * 16, "a" * 64)
        client.set("elp:session:" + "a" * 64, "{}")
        client.set(f"elp:due:{user}:2026-03-01", "{}")
        assert "users: 1" in elp("users", "erase", user, "--yes")
        assert client.keys("elp:*") == []
    with psycopg.connect(database_url) as connection:
        told = [entry.action for entry in list_entries(connection, object_type="user", object_id=user, limit=9)]
    assert sorted(told) == [
        "user.created",
        "user.erased",
        "user.exported",
        "user.exported",
        "user.password_set",
        "user.role_changed",
    ]


def test_tokens_are_made_rotated_and_revoked_at_the_command_line(elp):
    made = json.loads(elp("tokens", "create", "report", "--scope", "jobs.read", "--json"))
    rotated = json.loads(elp("tokens", "rotate", made["id"], "--json"))
    elp("tokens", "revoke", made["id"])
    assert made["token"] != rotated["token"]
    assert [token["id"] for token in json.loads(elp("tokens", "list", "--json"))] == [rotated["id"]]
    assert {token["id"] for token in json.loads(elp("tokens", "list", "--all", "--json"))} == {
        made["id"],
        rotated["id"],
    }
    assert "jobs.read" in elp("tokens", "list")
