"""`elp srs`: what learners' memory looks like."""

import os
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, get_args
from uuid import UUID

import typer

from worker import clock
from worker.cli.console import out
from worker.db import transaction
from worker.embedded import servers
from worker.errors import ElpError
from worker.srs.due_queue import DEFAULT_DAY_START_HOUR, DEFAULT_ZONE
from worker.srs.report.data import Cohort, gather, of_cohort, of_learner
from worker.srs.report.texts import Language

app = typer.Typer(help="Spaced repetition: reports.", no_args_is_help=True)


class WrongOptionsError(ElpError):
    """Options of the command line that can't be taken together."""


@app.callback()
def srs() -> None:
    """Keep `report` a command of its own."""


@app.command()
def report(
    *,
    user: Annotated[UUID | None, typer.Option(help="One learner, by id.")] = None,
    cohort: Annotated[
        Cohort | None, typer.Option(help=f"Many learners together: {', '.join(get_args(Cohort))}.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The page's file.")] = Path("srs-report.html"),
    days: Annotated[int, typer.Option(min=7, max=3660, help="How far to look back.")] = 180,
    sample: Annotated[int, typer.Option(min=1, max=100_000, help="Learners of a cohort to look at, at most.")] = 500,
    language: Annotated[Language, typer.Option(help="Of the page.")] = "en",
) -> None:
    """Write one self-contained HTML page: true retention, stability, forecast and calibration.

    Needs the extra `reports`. The page names learners by id alone; it loads nothing and runs nothing.
    """
    if (user is None) == (cohort is None):
        raise WrongOptionsError("name either one learner (--user UUID) or a cohort (--cohort all)")
    from worker.srs.report.page import render  # noqa: PLC0415 - needs an extra, and takes a second to import

    now = clock.now()
    with servers(), transaction() as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        if user is not None:
            subject = of_learner(connection, user, now)
        else:
            assert cohort is not None
            subject = of_cohort(connection, cohort, sample, _jakarta(now))
        page = render(gather(connection, subject, days=days, now=now), language)
    _write(output, page)
    of_learners = "1 learner" if len(subject.user_ids) == 1 else f"{len(subject.user_ids):,} learners"
    out.print(f"{output}: {len(page.encode()) / 1024:,.0f} kB, {of_learners}", highlight=False)


def _jakarta(now: datetime) -> date:
    return clock.local_day(now, DEFAULT_ZONE, DEFAULT_DAY_START_HOUR)


def _write(path: Path, page: str) -> None:
    """Write the page whole or not at all."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_text(page, encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise WrongOptionsError(f"{path} can't be written: {error.strerror}") from error
