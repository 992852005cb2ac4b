"""The schema's version: bring a database to one, ask which it has."""

from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import NullPool, create_engine

from worker.db.engines import driver_url


def _config() -> Config:
    """Return Alembic's configuration as `[tool.alembic]` has it, also where the package is installed from a wheel."""
    config = Config()
    config.set_main_option("script_location", str(files("migrations")).replace("%", "%%"))
    return config


def migrate(url: str, revision: str = "head") -> None:
    """Upgrade a database to a revision: each migration in a transaction of its own, none if it is there already.

    Two processes may call this at once: one waits for the other. Logging is left as it is.

    Args:
        url: the database, in any of the accepted forms.
        revision: a revision, a relative one such as `+1`, or `head`.

    Raises:
        alembic.util.CommandError: there is no such revision, or this code does not know the database's own.
        sqlalchemy.exc.OperationalError: the server cannot be reached, or a lock was not to be had in time.
    """
    config = _config()
    config.attributes["url"] = url
    command.upgrade(config, revision)


def revert(url: str, revision: str) -> None:
    """Downgrade a database to an earlier revision (`base`: empty); what the reverted migrations held is lost.

    Raises:
        alembic.util.CommandError: there is no such revision.
        sqlalchemy.exc.OperationalError: the server cannot be reached, or a lock was not to be had in time.
    """
    config = _config()
    config.attributes["url"] = url
    command.downgrade(config, revision)


def current_revision(url: str) -> str | None:
    """Return the revision that a database has; None: it was never migrated.

    Raises:
        sqlalchemy.exc.OperationalError: the server cannot be reached.
    """
    engine = create_engine(driver_url(url, "psycopg"), poolclass=NullPool)
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head_revision() -> str:
    """Return the newest revision that this code knows: the one it needs to work."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None, "there is always a first migration"
    return head
