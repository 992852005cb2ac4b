"""What operators' routes share: their tag, their limit, and their errors as problems."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Final

import psycopg
from litestar.params import QueryParameter

from worker.api import problems
from worker.api.problems import ProblemError
from worker.db import Connection, transaction
from worker.jobs.errors import (
    NoScheduleError,
    NotByHandError,
    NotParkedError,
    UnknownJobError,
    UnknownParameterError,
    UnknownRunError,
    UnknownShardError,
    WrongStateError,
)

TAGS: Final = ["operations"]

Limit = Annotated[int, QueryParameter(ge=1, le=1_000, description="How many at most")]


@contextmanager
def answering() -> Iterator[None]:
    """Turn what the engine refuses into problems."""
    try:
        yield
    except UnknownJobError as error:
        raise ProblemError(problems.UNKNOWN_JOB, str(error)) from error
    except (UnknownRunError, UnknownShardError) as error:
        raise ProblemError(problems.UNKNOWN_RUN, str(error)) from error
    except (WrongStateError, NotParkedError) as error:
        raise ProblemError(problems.WRONG_STATE, str(error)) from error
    except (NotByHandError, UnknownParameterError, NoScheduleError) as error:
        raise ProblemError(problems.INVALID_PARAMETERS, str(error)) from error
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise problems.unavailable("the database does not answer: try again") from error


@contextmanager
def asking() -> Iterator[Connection]:
    """Yield a transaction in which the ledger is asked or changed."""
    with answering(), transaction() as connection:
        yield connection
