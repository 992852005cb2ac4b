"""`elp billing`: subscriptions, charges, refunds, prices, and whether everything that must hold does."""

import getpass
import os
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
import typer
from psycopg.rows import dict_row
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from worker import clock, logging
from worker.billing import actions, refunds, store
from worker.billing.errors import RefusedChangeError
from worker.billing.sandbox.server import Sandbox
from worker.billing.verify import INVARIANTS, verify
from worker.cli import billing_books
from worker.cli.console import out
from worker.db import transaction
from worker.db.engines import forget_sync_engine
from worker.db.schema import migrate
from worker.embedded import servers
from worker.embedded.manager import scratch_servers
from worker.secrets import new_key
from worker.settings import get_settings
from worker.simulate.billing import BillingYears
from worker.simulate.errors import InvariantBrokenError

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="How many.")]
Id = Annotated[UUID, typer.Argument(help="The subscription's id.")]

_MOST_VIOLATIONS: Final = 1_000
_SIMULATED_FROM: Final = datetime(2026, 1, 1, tzinfo=UTC)

app = typer.Typer(help="Billing: subscriptions, charges, refunds, invariants.", no_args_is_help=True)
billing_books.register(app)


def _actor() -> str:
    return f"cli:{getpass.getuser()}"


@app.command()
def subscriptions(
    *,
    user: Annotated[UUID | None, typer.Option(help="Of one learner.")] = None,
    state: Annotated[str | None, typer.Option(help="In one state.")] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Show subscriptions, the newest first."""
    values = {"id": None, "user_id": user, "state": state, "limit": limit}
    show(_rows("list_subscriptions", values), as_json=as_json, empty="no subscriptions")


@app.command()
def charges(
    *,
    subscription: Annotated[UUID | None, typer.Option(help="Of one subscription.")] = None,
    state: Annotated[str | None, typer.Option(help="In one state: unknown, declined …")] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """Show charges and refunds, the newest first."""
    values = {"subscription_id": subscription, "state": state, "limit": limit}
    show(_rows("list_charges", values), as_json=as_json, empty="no charges")


@app.command("verify")
def verify_all(*, as_json: AsJson = False) -> None:
    """Check everything that must hold of subscriptions and payments; exit code 1 if something does not."""
    with servers(), transaction() as connection:
        found = verify(connection, clock.now(), _MOST_VIOLATIONS)
    rows = [{"invariant": each.invariant, "says": INVARIANTS[each.invariant], "found": each.found} for each in found]
    if as_json:
        show(rows, as_json=True, empty="")
    else:
        for name, text in INVARIANTS.items():
            broken = [each.found for each in found if each.invariant == name]
            out.print(f"{'[bold red]broken[/]' if broken else '[green]holds[/] '}  {escape(text)}", soft_wrap=True)
            for row in broken[:20]:
                out.print(f"          {row}", markup=False, soft_wrap=True)
    raise typer.Exit(1 if found else 0)


@app.command()
def cancel(
    subscription_id: Id, *, now: Annotated[bool, typer.Option("--now", help="At once, access included.")] = False
) -> None:
    """End a subscription at its period's end, or at once."""
    with servers(), transaction() as connection:
        after = actions.cancel(connection, subscription_id, at_once=now, actor=_actor(), now=clock.now())
    when = "now" if after.state == "cancelled" else f"{after.period.end:%Y-%m-%d %H:%MZ}"
    out.print(f"subscription {subscription_id} ends {when}")


@app.command()
def pause(
    subscription_id: Id,
    *,
    until: Annotated[datetime | None, typer.Option(help="UTC; it goes on by itself then.")] = None,
) -> None:
    """Pause a subscription; what is left of its period is kept."""
    ends_at = None if until is None else until.replace(tzinfo=clock.now().tzinfo)
    with servers(), transaction() as connection:
        actions.pause(connection, subscription_id, until=ends_at, actor=_actor(), now=clock.now())
    out.print(f"subscription {subscription_id} is paused")


@app.command()
def resume(subscription_id: Id) -> None:
    """Go on after a pause, or take a planned cancellation back."""
    with servers(), transaction() as connection:
        after = actions.resume(connection, subscription_id, actor=_actor(), now=clock.now())
    out.print(f"subscription {subscription_id} is {after.state} until {after.period.end:%Y-%m-%d %H:%MZ}")


@app.command("plan")
def change_plan(subscription_id: Id, plan: Annotated[str, typer.Argument(help="The new plan's code.")]) -> None:
    """Change the plan: a dearer one at once, another at the period's end."""
    with servers(), transaction() as connection:
        after = actions.change_plan(connection, subscription_id, plan, actor=_actor(), now=clock.now())
    when = "at the period's end" if after.next_plan_id else "now"
    out.print(f"subscription {subscription_id} has plan {plan} {when}")


@app.command()
def refund(
    charge_id: Annotated[UUID, typer.Argument(help="The charge's id.")],
    *,
    amount: Annotated[str | None, typer.Option(help="Less than the whole.")] = None,
) -> None:
    """Pay a charge back; the gateway is asked within minutes."""
    wanted = None if amount is None else _amount(amount)
    with servers(), transaction() as connection:
        refund_id = refunds.intend(connection, charge_id, wanted, actor=_actor(), now=clock.now())
    out.print(f"refund {refund_id} is under way")


@app.command()
def price(
    plan: Annotated[str, typer.Argument(help="The plan's code.")],
    amount: Annotated[str, typer.Argument(help="The new price of a period.")],
    *,
    since: Annotated[datetime | None, typer.Option("--from", help="For present subscribers, UTC.")] = None,
    notice_days: Annotated[int, typer.Option(min=0, max=365, help="How long they are told before.")] = 30,
) -> None:
    """Change a plan's price: for new subscribers now, for present ones after the notice, which they get now."""
    now = clock.now()
    starts_at = now if since is None else since.replace(tzinfo=now.tzinfo)
    with servers(), transaction() as connection:
        told = actions.change_price(
            connection, plan, _amount(amount), since=starts_at, notice_days=notice_days, actor=_actor(), now=now
        )
    out.print(f"{told:,} subscribers are told")


@app.command()
def simulate(
    *,
    years: Annotated[float, typer.Option(min=0.1, max=50, help="Simulated years.")] = 2,
    subscriptions: Annotated[int, typer.Option(min=1, max=100_000, help="Simulated subscriptions.")] = 500,
    seed: Annotated[int, typer.Option(help="The same seed gives the same years.")] = 1,
) -> None:
    """Live through years of billing in virtual time, with every fault, killed at random, on scratch servers.

    Stops at the first broken invariant.
    """
    with scratch_servers() as scratch, Sandbox() as sandbox:
        migrate(scratch.database_url)
        made_up = {"encryption_keys": new_key(), "billing_failures": 1_000_000, **sandbox.settings()}
        os.environ.update({f"ELP_{name.upper()}": str(value) for name, value in made_up.items()})
        with ExitStack() as ends:
            ends.callback(get_settings.cache_clear)
            ends.callback(forget_sync_engine)
            get_settings.cache_clear()
            logging.configure("simulate", get_settings().model_copy(update={"log_level": "CRITICAL"}))
            years_of = BillingYears(get_settings(), sandbox.book, subscriptions=subscriptions, seed=seed)
            try:
                ends_at = _SIMULATED_FROM + timedelta(days=round(365.25 * years))
                report = years_of.run(_SIMULATED_FROM, ends_at, lambda _: None)
            except InvariantBrokenError as broken:
                out.print(f"[bold red]broken[/] at {broken.at.isoformat()}, seed {seed}")
                for line in broken.details[:20]:
                    out.print(f"  {line}", markup=False, soft_wrap=True)
                raise typer.Exit(1) from None
    out.print(f"seed {seed}: {years:g} years of {subscriptions:,} subscriptions in {report.took_s:.0f} s; all holds")
    out.print(f"  {report.looks} looks, killed {report.kills} times, {report.forged} forged notifications refused")
    for title, counted in (
        ("payments", report.charges),
        ("learners", report.deeds),
        ("in the end", report.states),
        (f"breaks of {report.nights} nights", report.breaks),
    ):
        out.print(f"  {title}: " + ", ".join(f"{count:,} {name}" for name, count in sorted(counted.items())))


def _amount(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise RefusedChangeError(f"{text} is no amount") from None


def _rows(query: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    with servers(), transaction() as connection, connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(store.query(query), values).fetchall()


def show(rows: Sequence[dict[str, Any]], *, as_json: bool, empty: str) -> None:
    """Print rows as a table, or as JSON."""
    if as_json:
        out.print_json(msgspec.json.encode(rows).decode())
    elif not rows:
        out.print(empty)
    else:
        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        for name in rows[0]:
            table.add_column(name.replace("_", " "), overflow="fold")
        for row in rows:
            table.add_row(*("" if value is None else escape(_shown(value)) for value in row.values()))
        out.print(table)


def _shown(value: Any) -> str:
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else str(value)
