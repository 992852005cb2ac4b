"""Fixtures of the attempt pipeline's tests."""

import psycopg
import pytest


@pytest.fixture
def committed(database_url):
    """A connection whose statements are committed at once."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection
