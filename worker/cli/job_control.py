"""`elp jobs retry|cancel|pause|resume|missed`: repairing and holding up by hand."""

from typing import Annotated
from uuid import UUID

import typer
from rich.markup import escape
from rich.table import Table

import tasks
from worker import clock
from worker.cli.actors import note
from worker.cli.console import out
from worker.cli.job_tables import instant, print_json, runs_table
from worker.db import transaction
from worker.embedded import servers
from worker.errors import ElpError
from worker.jobs import control
from worker.jobs.registry import load_jobs, registry
from worker.jobs.reports import report_run

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
JobName = Annotated[str, typer.Argument(metavar="JOB", help="The job, as `elp jobs list` names it.")]


class WrongTargetError(ElpError):
    """What is to be tried again is neither a run nor a shard."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is neither a run nor a shard: give the run's id, or id/number for one shard of it")


def retry(
    target: Annotated[str, typer.Argument(metavar="RUN[/SHARD]", help="A run's id; /3 after it means its shard 3.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Have a run's failed or cancelled shards, or one shard, done again by the workers."""
    load_jobs(tasks.MODULES)
    run_id, number = read_target(target)
    with servers(), transaction() as connection:
        if number is None:
            shards = control.retry_run(connection, run_id, clock.now())
        else:
            control.retry_shard(connection, run_id, number, clock.now())
            shards = 1
        note(connection, "job_run.retried", "job_run", str(run_id), {"shards": shards})
        report = report_run(connection, run_id, all_shards=False)[0]
    if as_json:
        print_json({"shards": shards, "run": report})
    else:
        out.print(f"{shards:,} shards will be worked on again: `elp jobs watch {run_id}` shows it")
        out.print(runs_table([report]))


def cancel(
    run_id: Annotated[UUID, typer.Argument(metavar="RUN", help="The run's id, from `elp jobs history`.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Cancel a run that is not finished; what its shards committed stays."""
    with servers(), transaction() as connection:
        stopped = control.cancel_run(connection, run_id, clock.now())
        note(connection, "job_run.cancelled", "job_run", str(run_id), {"shards": stopped})
        report = report_run(connection, run_id, all_shards=False)[0]
    if as_json:
        print_json({"shards": stopped, "run": report})
    else:
        out.print(f"cancelled with {stopped:,} shards that were not done")
        out.print(runs_table([report]))


def pause(name: JobName, *, as_json: AsJson = False) -> None:
    """Have a job start nothing more until it is resumed; restarts don't end a pause."""
    _set_paused(name, wanted=True, as_json=as_json)


def resume(name: JobName, *, as_json: AsJson = False) -> None:
    """End a pause; what it made the job miss follows its catch-up policy (`elp jobs missed`)."""
    _set_paused(name, wanted=False, as_json=as_json)


def missed(
    name: Annotated[str | None, typer.Argument(metavar="[JOB]", help="One job's periods only.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show the periods that began without a run, what becomes of each, and why."""
    jobs = load_jobs(tasks.MODULES)
    wanted = jobs if name is None else [registry.get(name)]
    with servers(), transaction() as connection:
        found = control.missed_periods(connection, wanted, clock.now())
    if as_json:
        print_json(found)
    elif not found:
        out.print("nothing was missed")
    else:
        table = Table("job", "period", "will be", "because")
        for each in found:
            shown = "[green]run[/]" if each.decision == "run" else "[yellow]skipped[/]"
            table.add_row(each.job, instant(each.period), shown, escape(each.reason))
        out.print(table)


def read_target(text: str) -> tuple[UUID, int | None]:
    """Return the run, and the number of its shard if one is named.

    Raises:
        WrongTargetError: it is neither.
    """
    run, slash, number = text.partition("/")
    try:
        return UUID(run), int(number) if slash else None
    except ValueError:
        raise WrongTargetError(text) from None


def _set_paused(name: str, *, wanted: bool, as_json: bool) -> None:
    load_jobs(tasks.MODULES)
    job = registry.get(name)
    with servers(), transaction() as connection:
        change = control.pause if wanted else control.resume
        changed = change(connection, job.name, clock.now())
        if changed:
            note(connection, "job.paused" if wanted else "job.resumed", "job", job.name, {"paused": wanted})
    state = "paused" if wanted else "not paused"
    if as_json:
        print_json({"job": job.name, "paused": wanted, "changed": changed})
    else:
        out.print(f"{job.name} is {state}" + ("" if changed else ", as before"))
