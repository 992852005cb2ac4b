"""The command line's two consoles, its way to report errors, and how signals end a command."""

import signal
import sys
from typing import Final, NoReturn

import psycopg
import typer
from redis.exceptions import ConnectionError as RedisConnectionError
from rich.console import Console
from rich.markup import escape
from sqlalchemy.exc import DBAPIError

from worker.errors import ElpError

out: Final = Console(highlight=False)
err: Final = Console(stderr=True, highlight=False)

_FAILED: Final = 2


class ElpTyper(typer.Typer):
    """A Typer application that ends an expected error with one clean message on stderr and exit code 2."""

    def __call__(self, *args: object, **kwargs: object) -> object:
        """Run the command that the command line names."""
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _end)
        try:
            return super().__call__(*args, **kwargs)
        except ElpError as error:
            fail(str(error))
        except DBAPIError as error:
            if isinstance(error.orig, psycopg.Error) and (message := _explain(error.orig)):
                fail(message)
            raise
        except psycopg.Error as error:
            if message := _explain(error):
                fail(message)
            raise
        except RedisConnectionError as error:
            fail(f"Redis cannot be reached: {error}")


def fail(message: str) -> NoReturn:
    """Print a message to stderr and exit with code 2."""
    err.print(f"[bold red]elp:[/] {escape(message)}", soft_wrap=True)
    sys.exit(_FAILED)


def _explain(error: psycopg.Error) -> str | None:
    """Return what an operator can do about an error of the database; None: it is a fault of the program."""
    if isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
        return f"the database's schema is not this version's ({error.diag.message_primary}): run `elp migrate`"
    if isinstance(error, psycopg.OperationalError):
        return f"the database cannot be reached or refused: {str(error).strip().splitlines()[0]}"
    return None


def _end(number: int, _: object) -> NoReturn:
    """End this process in order (its `finally` blocks stop what it started), with the exit code shells expect."""
    sys.exit(128 + number)
