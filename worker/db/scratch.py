"""A database of one's own on a server that others use too: made empty, and dropped at the end."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from worker.db.engines import libpq_url


@contextmanager
def scratch_database(url: str) -> Iterator[str]:
    """Yield the address of a new, empty database on the server of `url`; it is gone at the end, sessions included.

    Raises:
        psycopg.errors.InsufficientPrivilege: the role may not create databases.
        psycopg.OperationalError: the server cannot be reached.
    """
    name = f"elp_scratch_{secrets.token_hex(6)}"
    server = libpq_url(url)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
