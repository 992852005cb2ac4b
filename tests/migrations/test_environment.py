"""How migrations reach the database: whichever way it is named, one at a time, and leaving logging alone."""

import logging
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import sqlalchemy.exc
from alembic import command
from alembic.util import CommandError
from sqlalchemy import create_engine, make_url

from tests.migrations.test_steps import config
from worker import embedded
from worker.db.engines import driver_url
from worker.db.schema import current_revision, head_revision, migrate, revert
from worker.errors import ConfigurationError

ROOT = Path(__file__).parents[2]


def alembic(*arguments: str) -> str:
    """Run the command `alembic` in the repository's root, with this process's environment; return what it printed."""
    program = Path(sys.executable).with_name("alembic")
    done = subprocess.run([program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_command_line_works_from_the_root_of_the_repository(database_url: str):
    assert "No new upgrade operations detected" in alembic("check")
    assert "Running downgrade" in alembic("downgrade", "-1")
    assert current_revision(database_url) != head_revision()
    assert "Running upgrade" in alembic("upgrade", "head")
    assert current_revision(database_url) == head_revision()


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg", "postgresql+asyncpg"])
def test_each_form_of_the_address_is_accepted(empty_database: Callable[[], str], scheme: str):
    url = empty_database()
    named = f"{scheme}://{url.partition('://')[2]}"
    migrate(named, "0001")
    assert current_revision(named) == "0001"


def test_address_in_the_settings_is_used_when_none_is_given(database_url: str):
    made = config(database_url)
    del made.attributes["url"]
    command.downgrade(made, "-1")
    assert current_revision(database_url) != head_revision()


def test_running_embedded_server_is_used_when_no_address_is_set(
    empty_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
):
    url = empty_database()
    monkeypatch.setattr(embedded, "running_database_url", lambda: url)
    made = config(url)
    del made.attributes["url"]
    command.upgrade(made, "0001")
    assert current_revision(url) == "0001"


def test_without_any_database_the_error_names_the_remedy(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(embedded, "running_database_url", lambda: None)
    made = config("")
    del made.attributes["url"]
    with pytest.raises(ConfigurationError, match=r"ELP_DATABASE_URL.*elp up"):
        command.upgrade(made, "head")


def test_connection_of_the_caller_keeps_its_transaction(empty_database: Callable[[], str]):
    url = empty_database()
    engine = create_engine(driver_url(url, "psycopg"))
    made = config(url)
    with engine.connect() as connection:
        made.attributes["connection"] = connection
        with connection.begin() as transaction:
            command.upgrade(made, "0003")
            assert current_revision(url) is None  # not committed
            transaction.rollback()
        assert current_revision(url) is None
        with connection.begin():
            command.upgrade(made, "0002")
    engine.dispose()
    assert current_revision(url) == "0002"


def test_processes_that_migrate_at_once_take_turns(empty_database: Callable[[], str]):
    url = empty_database()
    migrating = "import sys; from worker.db.schema import migrate; migrate(sys.argv[1])"

    def run(_: int) -> int:
        return subprocess.run([sys.executable, "-c", migrating, url], cwd=ROOT, check=False).returncode

    with ThreadPoolExecutor(3) as processes:
        assert list(processes.map(run, range(3))) == [0, 0, 0]
    assert current_revision(url) == head_revision()


def test_migration_gives_way_to_a_table_in_use_and_leaves_nothing_half_done(database_url: str):
    with psycopg.connect(database_url) as reader:
        reader.execute("LOCK TABLE alembic_version IN SHARE MODE")  # every step writes to it, last of all
        started = time.monotonic()
        with pytest.raises(sqlalchemy.exc.OperationalError, match="lock timeout"):
            revert(database_url, "-1")
        assert time.monotonic() - started > 4
    assert current_revision(database_url) == head_revision()


def test_failing_migration_keeps_those_before_it(empty_database: Callable[[], str]):
    url = empty_database()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE tryout_answers (id int)")
    with pytest.raises(sqlalchemy.exc.ProgrammingError, match="tryout_answers"):
        migrate(url)
    assert current_revision(url) == "0003"


def test_migrating_a_database_that_is_there_already_does_nothing(database_url: str):
    migrate(database_url)
    assert current_revision(database_url) == head_revision()


@pytest.mark.parametrize("change", [migrate, revert])
def test_unknown_revision_is_refused(database_url: str, change: Callable[[str, str], None]):
    with pytest.raises(CommandError, match="9999"):
        change(database_url, "9999")


def test_database_newer_than_the_code_is_refused_and_left_alone(database_url: str):
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(CommandError, match="9999"):
        migrate(database_url)
    assert current_revision(database_url) == "9999"


def test_unreachable_server_is_an_operational_error():
    with pytest.raises(sqlalchemy.exc.OperationalError):
        migrate("postgresql://127.0.0.1:1/nowhere")


def test_migrating_leaves_logging_as_it_is(empty_database: Callable[[], str]):
    root = logging.getLogger()
    names = ("alembic", "alembic.runtime.migration", "sqlalchemy.engine")
    before = (root.level, list(root.handlers), [logging.getLogger(name).level for name in names])
    migrate(empty_database(), "0001")
    assert (root.level, list(root.handlers), [logging.getLogger(name).level for name in names]) == before


def test_owner_of_a_database_migrates_without_being_superuser(
    empty_database: Callable[[], str], maintenance_url: str, worker_name: str
):
    url = empty_database()
    role, database = f"elp_{worker_name}_owner", url.rpartition("/")[2]
    with psycopg.connect(maintenance_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'owner'")
        connection.execute(f"ALTER DATABASE {database} OWNER TO {role}")
    try:
        owners = make_url(url).set(username=role, password="owner").render_as_string(hide_password=False)
        migrate(owners)
        revert(owners, "base")
        migrate(owners)
        assert current_revision(url) == head_revision()
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"REASSIGN OWNED BY {role} TO CURRENT_USER")
        with psycopg.connect(maintenance_url, autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {database} OWNER TO CURRENT_USER")
            connection.execute(f"DROP ROLE {role}")
