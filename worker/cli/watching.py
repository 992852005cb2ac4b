"""`elp jobs watch RUN`: a run's progress until it ends."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final
from uuid import UUID

import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from worker.cli.console import err, out
from worker.cli.job_tables import runs_table
from worker.db import transaction
from worker.embedded import servers
from worker.jobs.reports import RunReport, report_run

UNFINISHED: Final = frozenset({"planned", "running"})
_POLL_S: Final = 0.5
_WINDOW_S: Final = 30.0
"""The rate is that of the last half minute: a run's start says little about its end."""


@dataclass(frozen=True, slots=True)
class Progressed:
    """A run at one moment of being watched."""

    run: RunReport
    shards_a_second: float | None
    items_a_second: float | None
    left_s: float | None
    """Seconds until it ends at this rate; None: not known yet."""


def watch(
    run_id: Annotated[UUID, typer.Argument(metavar="RUN", help="The run's id, from `elp jobs history`.")],
    *,
    timeout: Annotated[float | None, typer.Option(min=0, help="Give up after so many seconds (exit code 3).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line and change.")] = False,
) -> None:
    """Show a run's progress until it ends; exit code 0 if it succeeded, 1 if not."""
    with servers():
        last = _show_lines(run_id, timeout) if as_json else _show_bar(run_id, timeout)
    if last.state in UNFINISHED:
        raise typer.Exit(3)
    if not as_json:
        out.print(runs_table([last]))
    raise typer.Exit(0 if last.state == "succeeded" else 1)


def progress_of(run_id: UUID, timeout_s: float | None = None) -> Iterator[Progressed]:
    """Yield a run at once and then at each look, until it has ended or the time is up.

    Raises:
        UnknownRunError: there is no such run.
    """
    started = time.monotonic()
    seen: list[tuple[float, RunReport]] = []
    while True:
        with transaction() as connection:
            run = report_run(connection, run_id, all_shards=False)[0]
        instant = time.monotonic()
        seen = [(at, report) for at, report in seen if instant - at <= _WINDOW_S] + [(instant, run)]
        yield _progressed(seen)
        if run.state not in UNFINISHED or (timeout_s is not None and instant - started >= timeout_s):
            return
        time.sleep(_POLL_S)


def _progressed(seen: list[tuple[float, RunReport]]) -> Progressed:
    (since, first), (until, run) = seen[0], seen[-1]
    ended = run.done + run.failed
    if until <= since or ended == first.done + first.failed:
        return Progressed(run, None, None, None)
    rate = (ended - first.done - first.failed) / (until - since)
    items = max(0, run.items - first.items) / (until - since)
    return Progressed(run, rate, items, (run.shards - ended) / rate)


def _show_lines(run_id: UUID, timeout_s: float | None) -> RunReport:
    said = None
    for progress in progress_of(run_id, timeout_s):
        if progress.run != said:
            said = progress.run
            out.print(msgspec.json.encode(progress).decode(), soft_wrap=True, markup=False)
    assert said is not None, "a run is always seen once"
    return said


def _show_bar(run_id: UUID, timeout_s: float | None) -> RunReport:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[said]}"),
        TimeElapsedColumn(),
    )
    run = None
    with Progress(*columns, console=err, transient=True) as bar:
        shown: TaskID | None = None
        for progress in progress_of(run_id, timeout_s):
            run = progress.run
            if shown is None:
                shown = bar.add_task(run.job, total=run.shards or None, said="")
            bar.update(shown, completed=run.done + run.failed, total=run.shards or None, said=said(progress))
    assert run is not None, "a run is always seen once"
    return run


def said(progress: Progressed) -> str:
    """Return a moment's figures in words."""
    run = progress.run
    parts = [f"{run.items:,} items"]
    if progress.items_a_second is not None:
        parts.append(f"{progress.items_a_second:,.0f}/s")
    if progress.left_s is not None:
        parts.append(f"{progress.left_s:,.0f} s left")
    if run.failed:
        parts.append(f"[red]{run.failed} failed[/]")
    return ", ".join(parts)
