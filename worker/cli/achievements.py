"""`elp achievements`: the catalogue, what a learner holds, taking an award back, and giving a new one to everyone."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
import typer
from rich.markup import escape
from rich.table import Table

import tasks
from worker import clock, logging
from worker.achievements import store
from worker.achievements.catalogue import load_catalogue
from worker.cli.actors import actor
from worker.cli.console import out
from worker.db import transaction
from worker.embedded import servers
from worker.jobs.dry_run import dry_run
from worker.jobs.execution import start_run, work_on_run
from worker.jobs.registry import load_jobs
from worker.jobs.reports import report_run
from worker.settings import get_settings

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
Learner = Annotated[UUID, typer.Argument(metavar="LEARNER", help="The learner's id.")]
Code = Annotated[str, typer.Argument(help="The award's code, as `elp achievements list` names it.")]
Reason = Annotated[str, typer.Option(help="Why, for the audit log.")]

app = typer.Typer(help="Achievements: the catalogue, awards, revoking, backfilling.", no_args_is_help=True)


@app.command("list")
def list_achievements(*, as_json: AsJson = False) -> None:
    """Show the catalogue and how many learners hold each tier."""
    with servers(), transaction() as connection:
        rows = connection.execute("SELECT code, count(*) FROM user_achievements WHERE revoked_at IS NULL GROUP BY code")
        held: dict[str, int] = {code: count for code, count in rows}  # noqa: C416  typed
    found = [
        {
            "code": tier.code,
            "name_id": each.text("name_id", tier),
            "name_en": each.text("name_en", tier),
            "rule": {**each.at_least, each.counter: tier.threshold},
            "learners": held.get(tier.code, 0),
        }
        for each in load_catalogue().achievements
        for tier in each.tiers
    ]
    if as_json:
        out.print_json(msgspec.json.encode(found).decode())
        return
    table = Table("code", "name", "nama", "at least", "learners")
    for row in found:
        rule = ", ".join(f"{counter} {number:,}" for counter, number in row["rule"].items())  # type: ignore[attr-defined]
        table.add_row(str(row["code"]), str(row["name_en"]), str(row["name_id"]), rule, f"{row['learners']:,}")
    out.print(table)


@app.command()
def show(user_id: Learner, *, as_json: AsJson = False) -> None:
    """Show what a learner was awarded, and on what evidence."""
    with servers(), transaction() as connection:
        found = store.awards_of(connection, user_id)
    if as_json:
        out.print_json(msgspec.json.encode(found).decode())
        return
    table = Table("code", "awarded", "revoked", "evidence")
    for each in found:
        revoked = f"{each.revoked_at:%Y-%m-%d %H:%M}Z" if each.revoked_at else ""
        evidence = escape(msgspec.json.encode(each.evidence).decode())
        table.add_row(each.code, f"{each.awarded_at:%Y-%m-%d %H:%M}Z", revoked, evidence)
    out.print(table)


@app.command()
def revoke(user_id: Learner, code: Code, *, reason: Reason) -> None:
    """Take an award back; no job awards it again. Audited."""
    with servers(), transaction() as connection:
        store.revoke(connection, user_id, code, actor=actor(), reason=reason, now=clock.now())
    out.print(f"revoked {escape(code)}")


@app.command()
def restore(user_id: Learner, code: Code, *, reason: Reason) -> None:
    """Give a revoked award back. Audited."""
    with servers(), transaction() as connection:
        store.restore(connection, user_id, code, actor=actor(), reason=reason, now=clock.now())
    out.print(f"restored {escape(code)}")


@app.command()
def backfill(
    code: Annotated[str, typer.Argument(help="An achievement, or one of its tiers.")],
    *,
    dry: Annotated[bool, typer.Option("--dry-run", help="Show who would be awarded what, and award nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Award an achievement to all learners who have earned it already: after it was added to the catalogue."""
    load_catalogue().only(code)  # says so before a run is planned, if it is misspelt
    _run("achievements.backfill", {"code": code}, dry=dry, as_json=as_json)


@app.command()
def recount(
    *,
    dry: Annotated[bool, typer.Option("--dry-run", help="Show who differs, and change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Count every learner anew from the history, as the nightly job does for a tenth of them."""
    _run("achievements.sweep", {"all": True}, dry=dry, as_json=as_json)


def _run(job: str, parameters: dict[str, Any], *, dry: bool, as_json: bool) -> None:
    """Run a job here, with whichever workers are free, or dry; exit code 1 if a shard fails."""
    logging.configure("cli", get_settings())
    load_jobs(tasks.MODULES)
    with servers():
        if dry:
            would = dry_run(job, clock.now(), parameters)
            failed, found = bool(would.failed), msgspec.to_builtins(would)
        else:
            started = start_run(job, clock.now(), trigger="manual", parameters=parameters, actor=actor())
            run_id = started.run.run_id
            while work_on_run(run_id).next_number is not None:
                pass
            with transaction() as connection:
                report, _ = report_run(connection, run_id, all_shards=False)
            failed, found = report.state == "failed", msgspec.to_builtins(report)
    if as_json:
        out.print_json(msgspec.json.encode(found).decode())
    else:
        for sample in found.pop("samples", []):
            out.print(escape(msgspec.json.encode(sample).decode()), soft_wrap=True)
        out.print(escape(", ".join(f"{name} {value}" for name, value in found.items() if value)), soft_wrap=True)
    raise typer.Exit(1 if failed else 0)
