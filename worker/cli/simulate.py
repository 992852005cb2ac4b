"""`elp simulate`: a year of the platform in minutes, with everything that only time brings out."""

from datetime import datetime
from random import SystemRandom
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

import tasks
from worker import logging
from worker.cli.console import err, out
from worker.db.engines import forget_sync_engine
from worker.db.schema import migrate
from worker.embedded.manager import scratch_servers
from worker.jobs.registry import load_jobs, registry
from worker.settings import get_settings
from worker.simulate import awards, recount
from worker.simulate.errors import InvariantBrokenError
from worker.simulate.outages import parse_instant, parse_outage
from worker.simulate.run import Simulation
from worker.simulate.scenario import Outcome, Scenario

_INVARIANTS_OF = (awards, recount)  # each adds its own

_SERVER = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",  # its statistics would come at instants of its own, and choose other plans
}
_MAX_SEED = 1_000_000


def simulate(
    *,
    begin: Annotated[str, typer.Option("--from", help="First day, or instant in UTC: 2026-01-01.")],
    end: Annotated[str, typer.Option("--to", help="Day or instant before which it ends.")],
    learners: Annotated[int, typer.Option(min=1, help="Simulated learners.")] = 200,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same year; drawn when left out.")] = None,
    outage: Annotated[
        list[str] | None, typer.Option("--outage", help="FROM/TO: everything is down meanwhile. May be repeated.")
    ] = None,
) -> None:
    """Move the whole schedule through virtual time on a scratch database, and stop at the first broken invariant."""
    scenario = Scenario(
        begins_at=parse_instant(begin),
        ends_at=parse_instant(end),
        learners=learners,
        seed=SystemRandom().randrange(_MAX_SEED) if seed is None else seed,
        outages=tuple(sorted(parse_outage(text) for text in outage or ())),
    )
    settings = get_settings()
    logging.configure("simulate", settings.model_copy(update={"log_level": "CRITICAL"}))  # the display is the report
    load_jobs(tasks.MODULES)
    place = (
        "a scratch database on the server of ELP_DATABASE_URL" if settings.database_url else "an embedded PostgreSQL"
    )
    out.print(f"seed {scenario.seed}, {learners:,} learners, {len(registry.all())} jobs, on {place}")
    with scratch_servers(_SERVER, database_on=settings.database_url) as servers:
        migrate(servers.database_url)
        simulation = Simulation(scenario, servers.database_url, registry)
        try:
            outcome = _shown(simulation, scenario)
        except InvariantBrokenError as broken:
            _explain(broken, scenario, outage or [])
            raise typer.Exit(1) from None
        finally:
            forget_sync_engine()
    out.print(_summary(outcome))
    out.print(_checks(outcome))
    days = (scenario.ends_at - scenario.begins_at).days
    out.print(f"{days:,} days in {outcome.took_s:.1f} s, {days / outcome.took_s:,.1f} days a second")
    out.print(f"digest {outcome.digest}")


def _shown(simulation: Simulation, scenario: Scenario) -> Outcome:
    total = (scenario.ends_at - scenario.begins_at).total_seconds()
    with Progress(
        TextColumn("{task.fields[day]}"),
        BarColumn(),
        TextColumn("{task.fields[attempts]:>10} attempts"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=out,
        transient=True,
    ) as progress:
        shown = progress.add_task("", total=total, day=f"{scenario.begins_at:%Y-%m-%d}", attempts="0")

        def show(at: datetime, outcome: Outcome) -> None:
            done = (at - scenario.begins_at).total_seconds()
            progress.update(shown, completed=done, day=f"{at:%Y-%m-%d}", attempts=f"{outcome.accepted:,}")

        return simulation.run(show)


def _explain(broken: InvariantBrokenError, scenario: Scenario, outages: list[str]) -> None:
    err.print(f"[bold red]broken:[/] {broken.invariant}")
    for line in broken.details[:20]:
        err.print(f"  {line}", markup=False, soft_wrap=True)
    if len(broken.details) > 20:  # noqa: PLR2004 - as many as were shown
        err.print(f"  … and {len(broken.details) - 20:,} more")
    err.print(f"seed {scenario.seed}, virtual instant {broken.at.isoformat()}, last job {broken.job or 'none'}")
    again = [f"elp simulate --from {scenario.begins_at:%Y-%m-%dT%H:%MZ} --to {scenario.ends_at:%Y-%m-%dT%H:%MZ}"]
    again += [f"--learners {scenario.learners}", f"--seed {scenario.seed}", *(f"--outage {text}" for text in outages)]
    err.print(f"again: {' '.join(again)}", markup=False, soft_wrap=True)


def _summary(outcome: Outcome) -> Table:
    table = Table(title="what happened", title_justify="left")
    table.add_column("")
    table.add_column("", justify="right")
    for job, periods in sorted(outcome.periods.items()):
        table.add_row(f"periods of {job}", f"{periods:,}")
    table.add_section()
    table.add_row("periods left out: their planner found nothing", f"{outcome.idle.total():,}")
    table.add_row("runs", f"{outcome.runs:,}")
    table.add_row("shards", f"{outcome.shards:,}")
    table.add_row("nudges lost on purpose", f"{outcome.lost_nudges:,}")
    table.add_row("nudges by tasks and jobs", f"{outcome.nudges:,}")
    table.add_row("messages from the outbox", f"{outcome.outbox_messages:,}")
    table.add_row("lost on purpose", f"{outcome.lost_deliveries:,}")
    table.add_row("failed", f"{outcome.failed_deliveries:,}")
    table.add_section()
    table.add_row("sittings delivered", f"{outcome.deliveries:,}")
    table.add_row("attempts accepted", f"{outcome.accepted:,}")
    table.add_row("attempts sent again", f"{outcome.duplicates:,}")
    table.add_row("drains of a lane", f"{outcome.drains:,}")
    table.add_row("tryouts begun", f"{outcome.sittings:,}")
    table.add_row("moves to another zone", f"{outcome.moves:,}")
    return table


def _checks(outcome: Outcome) -> Table:
    table = Table(title="what was checked, and holds", title_justify="left")
    table.add_column("invariant")
    table.add_column("looks", justify="right")
    for name, looks in outcome.looks.items():
        table.add_row(name, f"{looks:,}")
    return table
