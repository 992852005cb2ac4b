"""`elp billing import|reconcile|breaks|ledger|report`: gateways' reports, what differs, the ledger, finance's page."""

import getpass
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
import typer
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

import tasks
from worker import clock, logging
from worker.billing.breaks import list_breaks, reopen_break, resolve_break, show_break
from worker.billing.chargebacks import record_chargeback
from worker.billing.finance_page import Language, finance_page
from worker.billing.imports import Imported, import_file
from worker.billing.ledger import ledger, write_ledger, write_movements
from worker.billing.money import formatted
from worker.billing.report_fields import JAKARTA
from worker.billing.schedule import policy_of, ranges_to_book
from worker.cli.console import out
from worker.db import transaction
from worker.embedded import servers
from worker.jobs.dry_run import dry_run
from worker.jobs.execution import start_run, work_on_run
from worker.jobs.registry import load_jobs
from worker.settings import get_settings

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
Gateway = Annotated[str | None, typer.Option(help="One gateway alone, such as midtrans.")]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="A day in Jakarta, as 2026-11-24.")]
First = Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day, in Jakarta.")]
Last = Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, in Jakarta.")]
BreakId = Annotated[UUID, typer.Argument(metavar="ID", help="As `elp billing breaks list` shows it.")]

_RUN_S: Final = 3_600.0
_PROBLEMS_SHOWN: Final = 20

breaks = typer.Typer(help="Where a gateway's book and ours disagree.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands to `elp billing`."""
    app.command("import")(import_report)
    app.command()(reconcile)
    app.command("ledger")(show_ledger)
    app.command()(report)
    app.add_typer(breaks, name="breaks")


def import_report(
    file: Annotated[Path, typer.Argument(help="A settlement report as CSV, as the gateway made it.")],
    *,
    gateway: Gateway = None,
    layout: Annotated[str | None, typer.Option(help="midtrans, xendit or neutral; else told by the header.")] = None,
    compare: Annotated[bool, typer.Option(help="Compare and book the days it speaks of at once.")] = True,
    as_json: AsJson = False,
) -> None:
    """Import a settlement report, then compare its days. The same file again does nothing. Exit code 1: wrong lines."""
    logging.configure("cli", get_settings())
    load_jobs(tasks.MODULES)
    with servers():
        with transaction() as connection:
            found = import_file(connection, file, gateway=gateway, layout=layout, actor=_actor(), now=clock.now())
            row = connection.execute(
                "SELECT min(occurred_on), max(occurred_on), max(settled_on) FROM settlement_lines WHERE import_id = %s",
                (found.import_id,),
            ).fetchone()
        first, last, settled = row or (None, None, None)
        if compare and found.is_new and first is not None:
            _run("billing.reconcile", {"gateway": found.gateway, "from": str(first), "to": str(last)})
            _run("billing.book_ledger", {"gateway": found.gateway, "from": str(first), "to": str(settled)})
    if as_json:
        out.print_json(msgspec.json.encode(found).decode())
    else:
        _show_import(file, found)
    raise typer.Exit(1 if found.rejected else 0)


def _show_import(file: Path, found: Imported) -> None:
    if not found.is_new:
        out.print(f"{escape(file.name)} was imported before: nothing to do", soft_wrap=True)
        return
    known = found.lines - found.added
    out.print(
        f"{found.gateway}: {found.added:,} lines added" + (f", {known:,} known from earlier reports" * bool(known))
    )
    for problem in found.problems[:_PROBLEMS_SHOWN]:
        where = f"line {problem.number}, {problem.field}"
        out.print(f"[bold red]{escape(where)}[/]: {escape(problem.problem)}", soft_wrap=True)
    if found.rejected:
        out.print(f"{found.rejected:,} lines were left out: correct them and import the file again", soft_wrap=True)


def reconcile(
    *,
    gateway: Gateway = None,
    first: First = None,
    last: Last = None,
    dry: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare days with the gateways' reports and book the ledger; without options, what the nightly job does."""
    logging.configure("cli", get_settings())
    load_jobs(tasks.MODULES)
    parameters = {"gateway": gateway, "from": _iso(first), "to": _iso(last)}
    parameters = {name: value for name, value in parameters.items() if value is not None}
    with servers():
        if dry:
            would = dry_run("billing.reconcile", clock.now(), parameters)
            out.print_json(msgspec.json.encode(would).decode())
            raise typer.Exit(1 if would.failed else 0)
        _run("billing.reconcile", parameters)
        _run("billing.book_ledger", parameters)
        with transaction() as connection:
            rows = connection.execute(
                "SELECT gateway, kind, count(*) FROM reconciliation_breaks WHERE state = 'open'"
                " AND (%(gateway)s::text IS NULL OR gateway = %(gateway)s) GROUP BY 1, 2 ORDER BY 1, 2",
                {"gateway": gateway},
            ).fetchall()
    found = [{"gateway": each, "kind": kind, "open": count} for each, kind, count in rows]
    _print(found, as_json=as_json, empty="no break is open")


@breaks.command("list")
def list_(
    *,
    state: Annotated[Literal["open", "healed", "resolved", "all"], typer.Option(help="Which.")] = "open",
    gateway: Gateway = None,
    kind: Annotated[str | None, typer.Option(help="Such as missing_here.")] = None,
    day: Day = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List breaks, those that are open longest first."""
    with servers(), transaction() as connection:
        found = list_breaks(
            connection,
            state=None if state == "all" else state,
            gateway=gateway,
            kind=kind,
            day=day.date() if day else None,
            limit=limit,
        )
    if as_json:
        out.print_json(msgspec.json.encode(found).decode())
        return
    now = clock.now()
    rows = [
        {
            "id": each["id"],
            "age": f"{(now - each['opened_at']).days} d",
            "gateway": each["gateway"],
            "kind": each["kind"],
            "paid on": each["paid_on"],
            "ours": _money(each["our_amount"], each["currency"]),
            "gateway's": _money(each["gateway_amount"], each["currency"]),
            "reference": each["gateway_reference"] or each["order_id"],
            "state": each["state"],
        }
        for each in found
    ]
    _print(rows, as_json=False, empty="no breaks")


@breaks.command()
def show(break_id: BreakId, *, as_json: AsJson = False) -> None:
    """Show a break with both sides, where they stand, and what to do about it."""
    with servers(), transaction() as connection:
        found = show_break(connection, break_id)
    if as_json:
        out.print_json(msgspec.json.encode(found).decode())
        return
    for name, value in found.items():
        if value not in (None, "", {}):
            shown = _money(value, found["currency"]) if name.endswith(("_amount", "_fee")) else str(value)
            out.print(f"[dim]{name.replace('_', ' '):>24}[/]  {escape(shown)}", soft_wrap=True)


@breaks.command()
def resolve(
    break_id: BreakId,
    *,
    resolution: Annotated[
        str, typer.Option("--reason", help="What was done; kept with the break and in the audit log.")
    ],
) -> None:
    """Close a break by hand. It stays closed, unless the books come to differ in another way. Audited."""
    with servers(), transaction() as connection:
        resolve_break(connection, break_id, resolution, actor=_actor(), now=clock.now())
    out.print(f"resolved {break_id}")


@breaks.command()
def reopen(break_id: BreakId, *, reason: Annotated[str, typer.Option(help="Why; for the audit log.")]) -> None:
    """Open a break again that was resolved by mistake. Audited."""
    with servers(), transaction() as connection:
        reopen_break(connection, break_id, reason, actor=_actor(), now=clock.now())
    out.print(f"open again: {break_id}")


@breaks.command()
def chargeback(
    break_id: BreakId,
    *,
    keep: Annotated[bool, typer.Option("--keep", help="The subscription goes on: agreed with the learner.")] = False,
) -> None:
    """Record the chargeback that a break tells of and book it; the break heals, the subscription ends."""
    logging.configure("cli", get_settings())
    load_jobs(tasks.MODULES)
    with servers():
        with transaction() as connection:
            found = show_break(connection, break_id)
            policy = policy_of(get_settings(), found["gateway"])
            chargeback_id = record_chargeback(
                connection, break_id, policy, keeps_subscription=keep, actor=_actor(), now=clock.now()
            )
        out.print(f"recorded as {chargeback_id}")
        # The nightly booking looks back some weeks; a dispute may be older.
        today = clock.now().astimezone(JAKARTA).date()
        days = {"from": str(found["paid_on"]), "to": str(today)}
        _run("billing.book_ledger", {"gateway": found["gateway"], **days})


def show_ledger(
    *,
    first: First = None,
    last: Last = None,
    gateway: Gateway = None,
    csv_file: Annotated[Path | None, typer.Option("--csv", help="Write CSV here; - is standard output.")] = None,
    movements: Annotated[
        bool, typer.Option(help="With --csv: each movement behind it, not a line an account.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the ledger in double entry, a line a day and account (default: the last seven days)."""
    until = last.date() if last else clock.now().astimezone(JAKARTA).date()
    since = first.date() if first else until - timedelta(days=6)
    with servers(), transaction() as connection:
        lines = ledger(connection, since, until, gateway)
        if csv_file is not None:
            opened = sys.stdout if str(csv_file) == "-" else csv_file.open("w", newline="", encoding="utf-8")
            try:
                if movements:
                    parameters = {"from": str(since), "to": str(until), "gateway": gateway}
                    names = [each for each, _, _ in ranges_to_book(connection, parameters, clock.now(), days=1)]
                    write_movements(connection, names, since, until, opened)
                else:
                    write_ledger(lines, opened)
            finally:
                if opened is not sys.stdout:
                    opened.close()
            return
    if as_json:
        out.print_json(msgspec.json.encode(lines).decode())
        return
    rows = [
        {
            "day": line.day,
            "gateway": line.gateway,
            "account": line.account,
            "debit": _money(line.debit or None, line.currency),
            "credit": _money(line.credit or None, line.currency),
            "balance": _money(line.balance, line.currency),
        }
        for line in lines
    ]
    _print(rows, as_json=False, empty="nothing is booked for these days")


def report(
    *,
    day: Day = None,
    language: Annotated[Language, typer.Option(help="id or en.")] = "id",
    to: Annotated[Path | None, typer.Option("--out", help="Where to write it; else reconciliation-DAY.html.")] = None,
) -> None:
    """Write finance's page of a day (default: yesterday): totals, breaks by age with both sides, ledger, reports."""
    of = day.date() if day else clock.now().astimezone(JAKARTA).date() - timedelta(days=1)
    with servers(), transaction() as connection:
        page = finance_page(connection, of, language, clock.now())
    path = to or Path(f"reconciliation-{of}.html")
    path.write_text(page, encoding="utf-8")
    out.print(f"wrote {path}", soft_wrap=True)


def _run(job: str, parameters: dict[str, Any]) -> None:
    """Run a job here, with whichever workers are free; exit code 1 if it fails."""
    run = start_run(job, clock.now(), trigger="manual", parameters=parameters, actor=_actor()).run
    work_on_run(run.run_id, budget_s=_RUN_S)
    with transaction() as connection:
        row = connection.execute("SELECT state, error FROM job_runs WHERE id = %s", (run.run_id,)).fetchone()
    assert row is not None, "started above"
    if row[0] != "succeeded":
        out.print(
            f"[bold red]{job}: run {run.run_id} {row[0]}[/]: {escape(row[1] or 'see `elp jobs show`')}", soft_wrap=True
        )
        raise typer.Exit(1)


def _actor() -> str:
    return f"cli:{getpass.getuser()}"


def _iso(day: datetime | None) -> str | None:
    return None if day is None else str(day.date())


def _money(amount: Any, currency: str) -> str:
    return "" if amount is None else formatted(amount, currency)


def _print(rows: Sequence[dict[str, Any]], *, as_json: bool, empty: str) -> None:
    if as_json:
        out.print_json(msgspec.json.encode(rows).decode())
        return
    if not rows:
        out.print(empty)
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in rows[0]:
        table.add_column(name, overflow="fold", justify="right" if name in _NUMBERS else "left")
    for row in rows:
        table.add_row(*("" if value is None else escape(str(value)) for value in row.values()))
    out.print(table)


_NUMBERS: Final = {"ours", "gateway's", "debit", "credit", "balance", "open", "age"}
