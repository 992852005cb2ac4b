"""How jobs, runs and shards look in a terminal."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from worker.cli.console import out
from worker.jobs.reports import JobReport, RunReport, ShardReport

_COLOURS = {"succeeded": "green", "done": "green", "failed": "bold red", "running": "cyan", "cancelled": "yellow"}


def print_json(value: object) -> None:
    """Print a value for programs."""
    out.print_json(msgspec.json.encode(value).decode())


def jobs_table(jobs: Sequence[JobReport]) -> Table:
    """Return the jobs with their schedules, periods and newest runs."""
    table = Table("job, schedule", "last, next period", "newest run", "lag", box=SIMPLE_HEAD, pad_edge=False)
    for report in jobs:
        run = report.latest_run
        state = coloured(run.state) if run else "[dim]never ran[/]"
        lag = f"[bold red]{duration(report.lag_s)}[/]" if report.is_late else duration(report.lag_s)
        table.add_row(
            f"[bold]{report.name}[/]\n{escape(report.schedule or 'by hand or on an event')}",
            f"{instant(report.last_period)}\n{instant(report.next_period)}",
            f"{state}\n[yellow]paused[/]" if report.is_paused else state,
            lag,
        )
    return table


def runs_table(runs: Sequence[RunReport]) -> Table:
    """Return runs with the counts of their shards."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("run, job", no_wrap=True)  # an id that is cut off can't be copied
    for heading in ("period, trigger", "state"):
        table.add_column(heading)
    for heading in ("shards", "items", "took"):
        table.add_column(heading, justify="right")
    for report in runs:
        failed = f"\n[red]{report.failed} failed[/]" if report.failed else ""
        table.add_row(
            f"{report.id}\n[bold]{report.job}[/]",
            f"{instant(report.period)}\n{report.trigger}",
            coloured(report.state),
            f"{report.done:,}/{report.shards:,}{failed}",
            f"{report.items:,}",
            took(report.started_at, report.finished_at),
        )
    return table


def shards_table(shards: Sequence[ShardReport]) -> Table:
    """Return the shards of a run."""
    table = Table("shard", "state", "starts", "items", "took", "worker", "bounds", "error")
    for shard in shards:
        table.add_row(
            str(shard.number),
            coloured(shard.state),
            str(shard.starts),
            f"{shard.items:,}",
            took(shard.started_at, shard.finished_at),
            escape(shard.leased_by or ""),
            escape(msgspec.json.encode(shard.bounds).decode()),
            escape(shard.error or ""),
        )
    return table


def coloured(state: str) -> str:
    """Return a state in its colour."""
    return f"[{_COLOURS[state]}]{state}[/]" if state in _COLOURS else state


def instant(value: datetime | None) -> str:
    """Return an instant in UTC, seconds only where they matter."""
    return "" if value is None else f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z".replace(":00Z", "Z")


def took(started_at: datetime | None, finished_at: datetime | None) -> str:
    """Return how long something took, once it has ended."""
    if started_at is None or finished_at is None:
        return ""
    return f"{(finished_at - started_at).total_seconds():.2f} s"


def duration(seconds: float | None) -> str:
    """Return a length of time as people say it."""
    return "" if seconds is None else str(timedelta(seconds=round(seconds)))
