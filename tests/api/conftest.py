"""A server and a database for the tests of a module that don't need one of their own."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.api.server import ApiServer
from tests.support.servers import clone_template, drop_database


@pytest.fixture(scope="module")
def committed_url(maintenance_url: str, worker_name: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a migrated database for the tests of this module, who must not mind each other's rows."""
    name = f"elp_{worker_name}_{request.module.__name__.rpartition('.')[2]}"
    yield clone_template(maintenance_url, name)
    drop_database(maintenance_url, name)


@pytest.fixture(scope="module")
def api(committed_url: str) -> Iterator[ApiServer]:
    with ApiServer(committed_url) as server:
        yield server


@pytest.fixture
def committed(committed_url: str) -> Iterator[psycopg.Connection]:
    """What the server has committed, and a way to commit rows for it."""
    with psycopg.connect(committed_url, autocommit=True) as connection:
        yield connection
