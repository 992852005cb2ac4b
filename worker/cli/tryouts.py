"""`elp tryouts`: what editors and operators look at, and scoring a set again after its key was corrected."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, Final, NoReturn
from uuid import UUID

import msgspec
import typer
from psycopg.rows import dict_row
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

import tasks
from worker import clock, logging
from worker.cli.actors import actor
from worker.cli.console import out
from worker.db import transaction
from worker.db.queries import load_query
from worker.embedded import servers
from worker.jobs.dry_run import DryRunReport, dry_run
from worker.jobs.execution import start_run, work_on_run
from worker.jobs.registry import load_jobs
from worker.settings import get_settings
from worker.tryouts import store
from worker.tryouts.store import PACKAGE

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="How many.")]
SetId = Annotated[UUID, typer.Argument(help="The question set's id.")]

_RUN_S: Final = 3_600.0

app = typer.Typer(
    help="Tryouts: sets that can't be scored, bad questions, signals, scoring again.", no_args_is_help=True
)


@app.command()
def check(*, as_json: AsJson = False) -> None:
    """Check each set's scheme and questions; exit code 1 if a set can't be scored or a question can't be graded."""
    with servers(), transaction() as connection:
        sets = dict(connection.execute("SELECT id, slug FROM question_sets WHERE kind IN ('tryout', 'placement')"))
        forms, broken = store.load_forms(connection, sets, lock=False)
    found = [{"set": sets[set_id], "set_id": set_id, "problem": str(error)} for set_id, error in broken.items()]
    found += [
        {"set": sets[set_id], "set_id": set_id, "problem": f"question {question.id}: {question.problem}"}
        for set_id, form in forms.items()
        for question in form.questions.values()
        if question.grader is None
    ]
    found += [
        {"set": sets[set_id], "set_id": set_id, "problem": "has no questions"}
        for set_id, form in forms.items()
        if not form.questions
    ]
    _print(found, as_json=as_json, empty=f"{len(sets):,} sets, nothing wrong")
    raise typer.Exit(1 if found else 0)


@app.command()
def flags(*, limit: Limit = 50, as_json: AsJson = False) -> None:
    """Show the questions whose newest calibration found something an editor should look at, gravest first."""
    _print(_rows("flagged_questions", {"limit": limit}), as_json=as_json, empty="no question is flagged")


@app.command()
def signals(
    *,
    days: Annotated[int, typer.Option(min=1, max=3_650, help="Found within so many days.")] = 7,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Show what may be signs of cheating. Nothing was decided by them: look at the sittings, and ask."""
    values = {"after": clock.now() - timedelta(days=days), "limit": limit}
    _print(_rows("list_signals", values), as_json=as_json, empty=f"no signals within {days} days")


@app.command()
def rescore(
    set_id: SetId,
    *,
    reason: Annotated[str, typer.Option(help="What was corrected; kept beside each earlier score.")],
    dry: Annotated[bool, typer.Option("--dry-run", help="Show some of who would change, and change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Score a set's sittings again and show who changed; earlier scores are kept, and the app hears of changes."""
    logging.configure("cli", get_settings())
    load_jobs(tasks.MODULES)
    parameters = {"question_set_id": str(set_id), "reason": reason}
    if dry:
        with servers():
            report = dry_run("tryouts.rescore", clock.now(), parameters)
        _show_dry_run(report, as_json=as_json)
    with servers():
        run = start_run("tryouts.rescore", clock.now(), trigger="manual", parameters=parameters, actor=actor()).run
        work_on_run(run.run_id, budget_s=_RUN_S)
    with servers(), transaction() as connection:
        row = connection.execute("SELECT state, error FROM job_runs WHERE id = %s", (run.run_id,)).fetchone()
    assert row is not None, "started above"
    values = {"set_id": set_id, "run_id": run.run_id, "limit": 10_000}
    _print(_rows("score_changes", values), as_json=as_json, empty="no score changed")
    if row[0] != "succeeded":
        out.print(f"[bold red]run {run.run_id} {row[0]}[/]: {escape(row[1] or 'see `elp jobs show`')}", soft_wrap=True)
        raise typer.Exit(1)


def _show_dry_run(report: DryRunReport, *, as_json: bool) -> NoReturn:
    """Show what scoring again would change, and end the command."""
    _print(report.samples, as_json=as_json, empty="no score would change")
    if not as_json and report.items:
        out.print(f"{report.items:,} scores would change; nothing was changed")
    for error in report.errors:
        out.print(f"[bold red]would fail[/]: {escape(error)}", soft_wrap=True)
    raise typer.Exit(1 if report.failed else 0)


@app.command()
def changes(set_id: SetId, *, limit: Limit = 1_000, as_json: AsJson = False) -> None:
    """Show whose scores of a set were ever changed: from what, to what, when and why."""
    values = {"set_id": set_id, "run_id": None, "limit": limit}
    _print(_rows("score_changes", values), as_json=as_json, empty="no score was changed")


def _rows(query: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    with servers(), transaction() as connection, connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(load_query(PACKAGE, query), values).fetchall()


def _print(rows: Sequence[dict[str, Any]], *, as_json: bool, empty: str) -> None:
    if as_json:
        out.print_json(msgspec.json.encode(rows).decode())
    elif not rows:
        out.print(empty)
    else:
        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        for name in rows[0]:
            table.add_column(name.replace("_", " "), overflow="fold")
        for row in rows:
            table.add_row(*(_shown(value) for value in row.values()))
        out.print(table)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return escape(str(value))
