"""How Alembic reaches the database and what it compares: one transaction a migration, one migrating process at a time.

The database comes from, in this order: `config.attributes["connection"]`, `config.attributes["url"]`,
ELP_DATABASE_URL, a running embedded server.
"""

import logging
import re
import time
from collections.abc import Iterable
from typing import Any

from alembic import context
from alembic.migration import MigrationContext
from alembic.operations import MigrationScript
from sqlalchemy import Connection, NullPool, create_engine, text

from worker.db.engines import driver_url
from worker.errors import ConfigurationError
from worker.models import Base
from worker.settings import get_settings

LOCK_TIMEOUT = "5s"
"""A migration that cannot have its table at once gives way: waiting, it would block everyone who comes after it."""
TURN_TIMEOUT_S = 300
"""How long a second migrating process waits for the first."""
TURN_LOCK = 0x454C5003
"""Advisory lock (its class; key 0) that the migrating process holds."""
PARTITION = re.compile(r"question_attempts_(\d{4}_\d{2}|default)")


def database_url() -> str:
    """Return the address of the database to migrate.

    Raises:
        ConfigurationError: none was given and no embedded server runs.
    """
    url = context.config.attributes.get("url") or get_settings().database_url
    if url is None:
        from worker import embedded  # noqa: PLC0415 - an optional part, needed here alone

        url = embedded.running_database_url()
    if url is None:
        raise ConfigurationError(
            "no database to migrate: set ELP_DATABASE_URL, or start the embedded server with `elp up`"
        )
    return str(url)


def is_compared(name: str | None, type_: str, parent_names: dict[str, str | None]) -> bool:
    """Say whether Alembic looks at an object of the database: partitions follow their parent by themselves."""
    table = name if type_ == "table" else parent_names.get("table_name")
    return table is None or PARTITION.fullmatch(table) is None


def number_revision(
    migration_context: MigrationContext, revision: str | Iterable[str | None], directives: list[MigrationScript]
) -> None:
    """Give a new migration the number after the newest one's."""
    del migration_context, revision
    newest = context.script.get_current_head()
    for directive in directives:
        directive.rev_id = f"{int(newest or 0) + 1:04d}"


def configure(**where: Any) -> None:
    """Set up Alembic's context."""
    context.configure(
        target_metadata=Base.metadata,
        transaction_per_migration=True,
        compare_type=True,
        compare_server_default=True,
        include_name=is_compared,
        process_revision_directives=number_revision,
        **where,
    )


def migrate(connection: Connection) -> None:
    """Run what was asked for on a connection; where a transaction has begun on it, within that and without commit."""
    configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()


def _take_turn(connection: Connection) -> None:
    """Wait until no other process migrates, in many short looks.

    One that waits inside a statement holds a snapshot, and the other's CREATE INDEX CONCURRENTLY waits for that to end.

    Raises:
        TimeoutError: the other took longer than `TURN_TIMEOUT_S`.
    """
    give_up_at = time.monotonic() + TURN_TIMEOUT_S
    while not connection.scalar(text(f"SELECT pg_try_advisory_lock({TURN_LOCK}, 0)")):
        connection.commit()
        if time.monotonic() >= give_up_at:
            raise TimeoutError(f"another process has been migrating this database for {TURN_TIMEOUT_S} s")
        time.sleep(0.2)


def migrate_own_connection() -> None:
    """Connect, wait for other migrating processes, run what was asked for, disconnect (which gives up the lock)."""
    engine = create_engine(driver_url(database_url(), "psycopg"), poolclass=NullPool)
    with engine.connect() as connection:
        _take_turn(connection)
        connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
        connection.execute(text("SET statement_timeout = 0"))
        connection.commit()
        migrate(connection)


if context.config.cmd_opts is not None and not logging.getLogger().handlers:
    # The command `alembic`, not a program of ours: those log as they have set it up.
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    for name in ("alembic.runtime.migration", "alembic.autogenerate"):
        logging.getLogger(name).setLevel(logging.INFO)

given = context.config.attributes.get("connection")
if context.is_offline_mode():
    configure(dialect_name="postgresql", literal_binds=True, dialect_opts={"paramstyle": "named"})
    with context.begin_transaction():
        context.run_migrations()
elif given is not None:
    migrate(given)
else:
    migrate_own_connection()
