"""`elp jobs`: what runs when, what ran, and running a job by hand."""

import json
import time
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.markup import escape

import tasks
from worker import clock, logging
from worker.cli import job_control, job_outbox, watching
from worker.cli.actors import actor
from worker.cli.console import out
from worker.cli.job_tables import instant, jobs_table, print_json, runs_table, shards_table
from worker.cli.watching import UNFINISHED
from worker.db import transaction
from worker.embedded import servers
from worker.errors import ElpError
from worker.jobs.dry_run import DryRunReport, dry_run
from worker.jobs.execution import start_run, work_on_run
from worker.jobs.messages import Messages
from worker.jobs.registry import load_jobs, registry
from worker.jobs.reports import RunReport, report_history, report_jobs, report_run
from worker.settings import get_settings

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
JobName = Annotated[str, typer.Argument(metavar="JOB", help="The job, as `elp jobs list` names it.")]
_POLL_S = 0.5

app = typer.Typer(help="Jobs: what runs when, what ran, running and repairing by hand.", no_args_is_help=True)
app.command()(watching.watch)
app.command()(job_control.retry)
app.command()(job_control.cancel)
app.command()(job_control.pause)
app.command()(job_control.resume)
app.command()(job_control.missed)
app.add_typer(job_outbox.app, name="outbox")


class WrongPeriodError(ElpError):
    """A period on the command line that cannot be read."""

    def __init__(self, text: str) -> None:
        super().__init__(f"--period {text!r}: give an instant with its offset, such as 2026-11-24T03:00Z")


class WrongParameterError(ElpError):
    """A parameter on the command line that is not `name=value`."""

    def __init__(self, text: str) -> None:
        super().__init__(f"--param {text!r}: give name=value; the value is JSON, or else taken as text")


@app.command("list")
def list_jobs(*, as_json: AsJson = False) -> None:
    """Show every job: its schedule, its periods, how its newest run went, how far it lags, whether it is paused."""
    with servers(), transaction() as connection:
        found = report_jobs(connection, load_jobs(tasks.MODULES), clock.now())
    if as_json:
        print_json(found)
    else:
        out.print(jobs_table(found))


@app.command()
def run(
    name: JobName,
    *,
    period: Annotated[str | None, typer.Option(help="The period to run it for; now, when left out.")] = None,
    dry: Annotated[bool, typer.Option("--dry-run", help="Show what it would do, and do nothing.")] = False,
    param: Annotated[list[str] | None, typer.Option(help="A parameter as name=value; repeat it for more.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run a job for a period, here and on the workers that are free; exit code 1 if it fails.

    A period runs once: if it has its run, that one is shown, and worked on if it is not finished.
    """
    logging.configure("cli", get_settings())
    load_jobs(tasks.MODULES)
    parameters = _parameters(param or [])
    with servers():
        if dry:
            _show_dry_run(dry_run(name, _parse(period), parameters), as_json=as_json)
            return
        started = start_run(name, _parse(period), trigger="manual", parameters=parameters, actor=actor())
        run_id = started.run.run_id
        report = _run_to_the_end(run_id)
    if as_json:
        print_json(report)
    else:
        out.print(runs_table([report]))
        if report.error:
            out.print(f"[bold red]error:[/] {escape(report.error)}", soft_wrap=True)
    raise typer.Exit(0 if report.state == "succeeded" else 1)


@app.command()
def history(
    name: Annotated[str | None, typer.Argument(metavar="[JOB]", help="One job's runs only.")] = None,
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
        print_json(found)
    else:
        out.print(runs_table(found))


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
        print_json({"run": report, "shards": shards})
        return
    out.print(runs_table([report]))
    if report.error:
        out.print(f"[bold red]error:[/] {escape(report.error)}", soft_wrap=True)
    if shards:
        out.print(shards_table(shards))


def _run_to_the_end(run_id: UUID) -> RunReport:
    """Work on a run together with whichever workers are free, until it is finished, rests between tries included."""
    from worker.app import app as celery  # noqa: PLC0415 - reads the broker's address

    report = _reported(run_id)
    if report.state in UNFINISHED:
        Messages(celery).run(registry.get(report.job), run_id, report.shards)
    while report.state in UNFINISHED:
        work_on_run(run_id)
        report = _reported(run_id)
        if report.state in UNFINISHED:
            time.sleep(_POLL_S)
    return report


def _reported(run_id: UUID) -> RunReport:
    with transaction() as connection:
        return report_run(connection, run_id, all_shards=False)[0]


def _show_dry_run(report: DryRunReport, *, as_json: bool) -> None:
    """Show what a run would come to; exit code 1 if some of it would fail."""
    if as_json:
        print_json(report)
    else:
        out.print(
            f"[bold]{report.job}[/] for {instant(report.period)} would work on {report.shards:,} shards and"
            f" {report.items:,} items; nothing was changed"
        )
        for sample in report.samples:
            out.print(f"  {escape(json.dumps(sample, default=str))}", soft_wrap=True)
        for error in report.errors:
            out.print(f"  [red]{escape(error)}[/]", soft_wrap=True)
    raise typer.Exit(1 if report.failed else 0)


def _parse(period: str | None) -> datetime:
    if period is None:
        return clock.now()
    try:
        read = datetime.fromisoformat(period)
    except ValueError:
        raise WrongPeriodError(period) from None
    if read.tzinfo is None:
        raise WrongPeriodError(period)
    return read


def _parameters(given: list[str]) -> dict[str, Any]:
    parameters = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise WrongParameterError(text)
        try:
            parameters[name] = json.loads(value)
        except ValueError:
            parameters[name] = value
    return parameters
