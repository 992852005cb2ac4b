"""`elp jobs`: what runs when, what ran, and running a job by hand."""

import time
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import msgspec
import typer
from rich.markup import escape
from rich.table import Table

import tasks
from worker import clock, logging
from worker.cli.console import out
from worker.db import transaction
from worker.embedded import servers
from worker.errors import ElpError
from worker.jobs.execution import start_run, work_on_run
from worker.jobs.messages import Messages
from worker.jobs.registry import load_jobs, registry
from worker.jobs.reports import RunReport, ShardReport, report_history, report_jobs, report_run
from worker.settings import get_settings

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
_COLOURS = {"succeeded": "green", "done": "green", "failed": "bold red", "running": "cyan", "cancelled": "yellow"}
_UNFINISHED = {"planned", "running"}
_POLL_S = 0.5

app = typer.Typer(help="Scheduled jobs: what runs when, what ran, running one by hand.", no_args_is_help=True)


class WrongPeriodError(ElpError):
    """A period on the command line that cannot be read."""

    def __init__(self, text: str) -> None:
        super().__init__(f"--period {text!r}: give an instant with its offset, such as 2026-11-24T03:00Z")


@app.command("list")
def list_jobs(*, as_json: AsJson = False) -> None:
    """Show every job: its schedule, its next period, and how its newest run went."""
    with servers(), transaction() as connection:
        found = report_jobs(connection, load_jobs(tasks.MODULES), clock.now())
    if as_json:
        _print_json(found)
        return
    table = Table("job", "schedule", "next period", "newest run", "state", "items")
    for report in found:
        run = report.latest_run
        table.add_row(
            f"{report.name}\n[dim]{escape(report.summary)}[/]",
            escape(report.schedule or "by hand"),
            _instant(report.next_period),
            _instant(run.period if run else None),
            _state(run.state) if run else "[dim]never ran[/]",
            f"{run.items:,}" if run else "",
        )
    out.print(table)


@app.command()
def run(
    name: Annotated[str, typer.Argument(help="The job, as `elp jobs list` names it.")],
    *,
    period: Annotated[str | None, typer.Option(help="The period to run it for; now, when left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run a job for a period, here and on the workers that are free; exit code 1 if it fails.

    A period runs once: if it has its run, that one is shown, and worked on if it is not finished.
    """
    logging.configure("cli", get_settings())
    load_jobs(tasks.MODULES)
    with servers():
        run_id = start_run(name, _parse(period), trigger="manual").run.run_id
        report = _run_to_the_end(run_id)
    if as_json:
        _print_json(report)
    else:
        out.print(_runs_table([report]))
    raise typer.Exit(0 if report.state == "succeeded" else 1)


@app.command()
def history(
    name: Annotated[str | None, typer.Argument(help="One job's runs only.")] = None,
    *,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show the newest runs with the counts of their shards."""
    with servers(), transaction() as connection:
        found = report_history(connection, name, limit)
    if name is not None and not found:
        load_jobs(tasks.MODULES)
        registry.get(name)  # says so if it is misspelt
    if as_json:
        _print_json(found)
    else:
        out.print(_runs_table(found))


@app.command()
def show(
    run_id: Annotated[UUID, typer.Argument(metavar="RUN", help="The run's id, from `elp jobs history`.")],
    *,
    all_shards: Annotated[bool, typer.Option("--all", help="Also the shards that are done.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show a run, and its shards that are not done."""
    with servers(), transaction() as connection:
        report, shards = report_run(connection, run_id, all_shards=all_shards)
    if as_json:
        _print_json({"run": report, "shards": shards})
        return
    out.print(_runs_table([report]))
    if report.error:
        out.print(f"[bold red]error:[/] {escape(report.error)}", soft_wrap=True)
    if shards:
        out.print(_shards_table(shards))


def _run_to_the_end(run_id: UUID) -> RunReport:
    """Work on a run together with whichever workers are free, until it is finished, rests between tries included."""
    from worker.app import app as celery  # noqa: PLC0415 - reads the broker's address

    report = _reported(run_id)
    if report.state in _UNFINISHED:
        Messages(celery).run(registry.get(report.job), run_id, report.shards)
    while report.state in _UNFINISHED:
        work_on_run(run_id)
        report = _reported(run_id)
        if report.state in _UNFINISHED:
            time.sleep(_POLL_S)
    return report


def _reported(run_id: UUID) -> RunReport:
    with transaction() as connection:
        return report_run(connection, run_id, all_shards=False)[0]


def _parse(period: str | None) -> datetime:
    if period is None:
        return clock.now()
    try:
        instant = datetime.fromisoformat(period)
    except ValueError:
        raise WrongPeriodError(period) from None
    if instant.tzinfo is None:
        raise WrongPeriodError(period)
    return instant


def _runs_table(runs: list[RunReport]) -> Table:
    table = Table("run", "job", "period", "trigger", "state", "shards", "items", "took")
    for report in runs:
        failed = f", [red]{report.failed} failed[/]" if report.failed else ""
        table.add_row(
            str(report.id),
            report.job,
            _instant(report.period),
            report.trigger,
            _state(report.state),
            f"{report.done:,}/{report.shards:,}{failed}",
            f"{report.items:,}",
            _took(report.started_at, report.finished_at),
        )
    return table


def _shards_table(shards: list[ShardReport]) -> Table:
    table = Table("shard", "state", "starts", "items", "took", "worker", "bounds", "error")
    for shard in shards:
        table.add_row(
            str(shard.number),
            _state(shard.state),
            str(shard.starts),
            f"{shard.items:,}",
            _took(shard.started_at, shard.finished_at),
            escape(shard.leased_by or ""),
            escape(msgspec.json.encode(shard.bounds).decode()),
            escape(shard.error or ""),
        )
    return table


def _state(state: str) -> str:
    return f"[{_COLOURS[state]}]{state}[/]" if state in _COLOURS else state


def _instant(instant: datetime | None) -> str:
    return "" if instant is None else f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z".replace(":00Z", "Z")


def _took(started_at: datetime | None, finished_at: datetime | None) -> str:
    if started_at is None or finished_at is None:
        return ""
    return f"{(finished_at - started_at).total_seconds():.2f} s"


def _print_json(value: object) -> None:
    out.print_json(msgspec.json.encode(value).decode())
