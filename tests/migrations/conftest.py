from collections.abc import Callable, Iterator
from itertools import count

import psycopg
import pytest
from psycopg import sql

from tests.support.servers import drop_database, with_database

_NUMBERS = count(1)


@pytest.fixture
def empty_database(maintenance_url: str, worker_name: str) -> Iterator[Callable[[], str]]:
    """Make databases that hold nothing: `empty_database()` returns the address of another one."""
    made: list[str] = []

    def make() -> str:
        name = f"elp_{worker_name}_empty_{next(_NUMBERS)}"
        with psycopg.connect(maintenance_url, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        made.append(name)
        return with_database(maintenance_url, name)

    yield make
    for name in made:
        drop_database(maintenance_url, name)
