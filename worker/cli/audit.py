"""`elp audit`: who did what, and whether the log is as it was recorded."""

from typing import Annotated

import msgspec
import typer
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from worker.audit.verify import list_entries, read_anchor, take_snapshot
from worker.audit.verify import verify as verify_log
from worker.cli.console import out
from worker.db import transaction
from worker.embedded import servers

app = typer.Typer(help="The audit log.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command()
def verify(
    *,
    anchor: Annotated[
        str | None, typer.Option(help="A block noted elsewhere, NUMBER:DIGEST, that must be there unaltered.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check every entry against the chain of digests; exit code 1 if something was altered.

    Note the last block that is printed where whoever has the database can't write: against that copy even a chain
    computed anew is found out.
    """
    noted = read_anchor(anchor) if anchor else None
    with servers(), transaction() as connection:
        take_snapshot(connection)
        result = verify_log(connection, noted)
    if as_json:
        out.print_json(msgspec.json.encode(result).decode())
    else:
        for finding in result.findings:
            entry = f" entry {finding.entry}" if finding.entry else ""
            out.print(f"[bold red]{finding.kind}[/] block {finding.block or '–'}{entry}: {escape(finding.message)}")
        state = f"[bold red]{result.alterations:,} alterations[/]" if result.alterations else "[green]unaltered[/]"
        out.print(f"{state}: {result.entries:,} entries in {result.blocks:,} blocks")
        if result.last:
            out.print(f"last block {result.last}", soft_wrap=True)
    if result.alterations:
        raise typer.Exit(1)


@app.command("list")
def show(
    *,
    actor: Annotated[str | None, typer.Option(help="Of this actor alone, such as cli:root.")] = None,
    object_type: Annotated[str | None, typer.Option(help="About things of this type alone.")] = None,
    object_id: Annotated[str | None, typer.Option(help="About this one alone.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show the newest entries."""
    with servers(), transaction() as connection:
        entries = list_entries(connection, actor=actor, object_type=object_type, object_id=object_id, limit=limit)
    if as_json:
        out.print_json(msgspec.json.encode(entries).decode())
        return
    table = Table("when", "who", "what", "object", "before", "after", box=SIMPLE_HEAD, pad_edge=False)
    for entry in entries:
        changed = (
            "–" if fields is None else msgspec.json.encode(fields).decode() for fields in (entry.before, entry.after)
        )
        cells = (entry.actor, entry.action, f"{entry.object_type} {entry.object_id}", *changed)
        table.add_row(entry.occurred_at.isoformat(timespec="seconds"), *(escape(cell) for cell in cells))
    out.print(table)
