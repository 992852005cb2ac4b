"""What the tests of tryouts share."""

import psycopg
import pytest

from tests.factories_tryouts import make_form


@pytest.fixture
def committed(database_url):
    """A connection that commits each statement, to a database of the test's own."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def form(database):
    """A plain set of four questions: its id and theirs."""
    return make_form(database)
