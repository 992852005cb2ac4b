"""`elp jobs outbox`: what waits to be sent, and what was given up."""

import json
from typing import Annotated
from uuid import UUID

import typer
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from worker import clock
from worker.cli.actors import note
from worker.cli.console import out
from worker.cli.job_tables import instant, print_json
from worker.db import transaction
from worker.embedded import servers
from worker.errors import ElpError
from worker.jobs.outbox_control import OutboxEntry, discard_parked, list_outbox, retry_parked

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
Entries = Annotated[list[UUID] | None, typer.Argument(metavar="ENTRY…", help="Ids of parked entries.")]
Every = Annotated[bool, typer.Option("--all", help="All that are parked.")]

app = typer.Typer(help="The outbox: what waits to be sent, and what was given up.", invoke_without_command=True)


class NothingNamedError(ElpError):
    """Neither entries nor --all was given."""

    def __init__(self) -> None:
        super().__init__("name the entries by their ids, or say --all: `elp jobs outbox --parked` lists them")


@app.callback()
def outbox(
    context: typer.Context,
    *,
    parked: Annotated[bool, typer.Option("--parked", help="Only what was given up.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show the entries that are not done: parked ones first, then those due first."""
    if context.invoked_subcommand is not None:
        return
    with servers(), transaction() as connection:
        found = list_outbox(connection, clock.now(), limit=limit, parked_only=parked)
    if as_json:
        print_json(found)
    elif not found:
        out.print("nothing waits" if not parked else "nothing is parked")
    else:
        out.print(_table(found))


@app.command()
def retry(entries: Entries = None, *, every: Every = False, as_json: AsJson = False) -> None:
    """Have parked entries sent again at once, with all their tries."""
    ids = _chosen(entries, every=every)
    with servers(), transaction() as connection:
        retried = retry_parked(connection, ids, clock.now())
        for entry in retried:
            note(connection, "outbox.retried", "outbox_entry", str(entry), {})
    _say(retried, "will be sent again", as_json=as_json)


@app.command()
def discard(entries: Entries = None, *, every: Every = False, as_json: AsJson = False) -> None:
    """Delete parked entries: what they asked for never happens."""
    ids = _chosen(entries, every=every)
    with servers(), transaction() as connection:
        discarded = discard_parked(connection, ids)
        for entry in discarded:
            note(connection, "outbox.discarded", "outbox_entry", str(entry), {})
    _say(discarded, "discarded", as_json=as_json)


def _chosen(entries: list[UUID] | None, *, every: bool) -> list[UUID] | None:
    if every:
        return None
    if not entries:
        raise NothingNamedError
    return entries


def _say(changed: list[UUID], what: str, *, as_json: bool) -> None:
    if as_json:
        print_json(changed)
    else:
        out.print(f"{len(changed):,} entries {what}")


def _table(entries: list[OutboxEntry]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("entry, task", no_wrap=True)  # an id that is cut off can't be copied
    for heading in ("state", "due", "sent", "payload, error"):
        table.add_column(heading)
    for entry in entries:
        error = f"\n[red]{escape(entry.error)}[/]" if entry.error else ""
        table.add_row(
            f"{entry.id}\n[bold]{escape(entry.task)}[/]",
            f"[bold red]{entry.state}[/]" if entry.state == "parked" else entry.state,
            instant(entry.due_at),
            f"{entry.relays} times",
            f"{escape(json.dumps(entry.payload))}{error}",
        )
    return table
