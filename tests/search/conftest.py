"""What the tests of search share."""

import psycopg
import pytest


@pytest.fixture
def committed(database_url):
    """A connection that commits each statement, to a database of the test's own, whose definition is rolled out."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE search_state SET version = search_vector_version()")
        yield connection


@pytest.fixture
def unmarked(database):
    """A connection in a transaction, to a database without marks."""
    database.execute("DELETE FROM search_dirty")
    database.execute("UPDATE search_state SET version = search_vector_version()")
    return database
