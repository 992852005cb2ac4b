"""Keys are rotated in steps that may be stopped, and nothing is ever unreadable in between."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from tests.factories_operations import make_subscription
from tests.test_secrets import NEW, OLD
from worker.cli import app
from worker.models import Base
from worker.secrets import Cipher
from worker.security.rotation import ENCRYPTED, rotate

BOTH = Cipher([NEW, OLD])


@pytest.fixture
def tokens(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """Seven payment tokens under the old key, and a subscription without one."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        for number in range(7):
            make_subscription(connection, payment_token_encrypted=Cipher([OLD]).encrypt(f"token {number}"))
        make_subscription(connection)
        yield connection


def stored(connection: psycopg.Connection[Any]) -> list[bytes]:
    statement = "SELECT payment_token_encrypted FROM subscriptions WHERE payment_token_encrypted IS NOT NULL"
    return [bytes(value) for (value,) in connection.execute(statement)]


def transactions(connection: psycopg.Connection[Any]):
    @contextmanager
    def begin():
        with connection.transaction():
            yield connection

    return begin


def test_every_encrypted_column_of_the_schema_is_rotated():
    named = {
        (table.name, column.name)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if column.name.endswith("_encrypted")
    }
    assert {(column.table, column.name) for column in ENCRYPTED} == named


def test_rotation_that_was_stopped_goes_on_where_it_was(tokens):
    assert [progress.rotated for progress in islice(rotate(transactions(tokens), BOTH, batch=3), 1)] == [3]
    assert sorted(BOTH.decrypt(value) for value in stored(tokens)) == [f"token {number}" for number in range(7)]
    *_, last = rotate(transactions(tokens), BOTH, batch=3)
    assert (last.seen, last.rotated, last.unreadable) == (7, 4, 0)
    assert sorted(Cipher([NEW]).decrypt(value) for value in stored(tokens)) == [f"token {n}" for n in range(7)]
    *_, again = rotate(transactions(tokens), BOTH, batch=3)
    assert again.rotated == 0


def test_value_that_no_key_decrypts_is_counted_and_left(tokens):
    foreign = Cipher(["Zm9yZWlnbi1rZXktZm9yLXRlc3RzLTMyLWJ5dGVzLS0="]).encrypt("lost")
    make_subscription(tokens, payment_token_encrypted=foreign)
    *_, last = rotate(transactions(tokens), BOTH)
    assert (last.rotated, last.unreadable) == (7, 1)
    assert foreign in stored(tokens)


def test_value_written_meanwhile_is_not_overwritten(tokens):
    newer = Cipher([NEW]).encrypt("newer")

    @contextmanager
    def begin():
        with tokens.transaction():
            yield _Meddling(tokens, newer)

    list(rotate(begin, BOTH))
    assert {BOTH.decrypt(value) for value in stored(tokens)} == {"newer"}


class _Meddling:
    """A connection on which somebody changes every token right after it was read."""

    def __init__(self, connection, value):
        self.connection, self.value = connection, value

    def execute(self, statement, parameters):
        result = self.connection.execute(statement, parameters)
        if isinstance(parameters, dict):
            rows = result.fetchall()
            self.connection.execute(
                "UPDATE subscriptions SET payment_token_encrypted = %s WHERE payment_token_encrypted IS NOT NULL",
                (self.value,),
            )
            return rows
        return result


def test_command_rotates_and_tells_what_is_unreadable(tokens, redis_url):
    result = CliRunner().invoke(app, ["keys", "rotate"], env={"ELP_ENCRYPTION_KEYS": f"{NEW},{OLD}"})
    assert (result.exit_code, "7 of 7" in result.stdout) == (0, True)
    make_subscription(tokens, payment_token_encrypted=b"gAAAAAnonsense")
    result = CliRunner().invoke(app, ["keys", "rotate"], env={"ELP_ENCRYPTION_KEYS": f"{NEW},{OLD}"})
    assert (result.exit_code, "1 unreadable" in result.stdout) == (1, True)
