"""`elp db`: is the database well, and what an operator looks at when it is not."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import fields
from typing import Annotated, Any, TypeVar

import msgspec
import typer
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table
from sqlalchemy import NullPool
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from worker import clock
from worker.audit import AuditEntry, record
from worker.cli.actors import actor
from worker.cli.console import out
from worker.db import reports, transaction
from worker.db.engines import driver_url
from worker.db.health import health_check
from worker.embedded import running_database_url, servers
from worker.errors import ConfigurationError
from worker.security import database_roles
from worker.settings import get_settings

T = TypeVar("T")
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]

app = typer.Typer(help="Look at the database: health, connections, slow queries, indexes, sizes.", no_args_is_help=True)


@app.command()
def health(*, as_json: AsJson = False) -> None:
    """Check that the database answers, takes writes and has this version's schema; exit code 1 if not."""
    found = _ask(lambda session: health_check(session=session))
    if as_json:
        _print_json(found)
    else:
        table = Table.grid(padding=(0, 2))
        for field in fields(found):
            table.add_row(field.name.replace("_", " "), _shown(field.name, getattr(found, field.name)))
        out.print(table)
    raise typer.Exit(0 if found.ok else 1)


@app.command()
def pool(*, as_json: AsJson = False) -> None:
    """Show who holds connections to the database, by program and state."""
    _print_rows(_ask(lambda session: reports.connections(session=session)), as_json=as_json)


@app.command()
def slow_queries(
    *, limit: Annotated[int, typer.Option(min=1, max=1_000, help="How many.")] = 20, as_json: AsJson = False
) -> None:
    """Show the statements that cost most time in all."""
    _print_rows(_ask(lambda session: reports.slow_queries(session=session, limit=limit)), as_json=as_json)


@app.command()
def index_usage(
    *,
    rows: Annotated[int, typer.Option(min=1, help="From how many rows a scan is worth a look.")] = 10_000,
    as_json: AsJson = False,
) -> None:
    """Show indexes that nobody uses, and large tables that are read from end to end."""
    usage = _ask(lambda session: reports.index_usage(session=session, rows=rows))
    if as_json:
        _print_json(usage)
        return
    out.print(f"counted since {usage.counted_since or 'the database was made'}")
    _print_rows(usage.unused, title="never used", as_json=False)
    _print_rows(usage.missing, title="read from end to end", as_json=False)


@app.command()
def sizes(*, as_json: AsJson = False) -> None:
    """Show what each table takes, partitions with their parent."""
    _print_rows(_ask(lambda session: reports.table_sizes(session=session)), as_json=as_json)


@app.command()
def partitions(*, as_json: AsJson = False) -> None:
    """Show the partitions of question_attempts; the default one should be empty."""
    _print_rows(_ask(lambda session: reports.partitions(session=session)), as_json=as_json)


@app.command()
def roles(
    *,
    prefix: Annotated[str, typer.Option(help="What the roles' names begin with.")] = "elp",
    new_passwords: Annotated[bool, typer.Option("--new-passwords", help="Also for roles that are there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make the database's roles for the API, the workers, readers and migrations, each with exactly its rights.

    Addresses with passwords are shown this once. Run it again after `elp migrate`: it puts rights right. Needs an
    account that may create roles.
    """
    with servers() as used, transaction() as connection:
        made = database_roles.establish(connection, used.database_url, prefix=prefix, renew=new_passwords)
        record(connection, [AuditEntry(actor(), "database.roles_set", "database", prefix, {}, {})], clock.now())
    if as_json:
        _print_json(made)
        return
    for role in made:
        out.print(f"{role.name}: {role.url or 'as it was, rights put right'}", soft_wrap=True, markup=False)


def _ask(question: Callable[[AsyncSession], Awaitable[T]]) -> T:
    """Return the answer of the database that the settings name, or of the embedded one that runs."""

    async def asking(url: str) -> T:
        engine = create_async_engine(driver_url(url, "psycopg"), poolclass=NullPool)
        try:
            async with AsyncSession(engine) as session:
                return await question(session)
        finally:
            await engine.dispose()

    url = get_settings().database_url or running_database_url()
    if url is None:
        raise ConfigurationError("there is no database: set ELP_DATABASE_URL, or start the embedded one with `elp up`")
    return asyncio.run(asking(url))


def _print_json(value: object) -> None:
    out.print_json(msgspec.json.encode(value).decode())


def _print_rows(rows: Sequence[Any], *, as_json: bool, title: str | None = None) -> None:
    if as_json:
        _print_json(rows)
    elif not rows:
        out.print(f"{title or 'found'}: none")
    else:
        names = [field.name for field in fields(rows[0]) if field.name != "id"]
        # Long values are folded, never cut off; what is wider than the terminal wraps there.
        table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
        for name in names:
            is_text = isinstance(getattr(rows[0], name), str)
            table.add_column(
                name.replace("_", " "),
                justify="left" if is_text else "right",
                min_width=21 if is_text else None,
                overflow="fold",
            )
        for row in rows:
            table.add_row(*(_shown(name, getattr(row, name)) for name in names))
        out.print(table, width=max(out.width, 110), crop=False)


def _shown(name: str, value: object) -> str:
    if value is None:
        return "–"
    if name.endswith("bytes") and isinstance(value, int):
        return f"{value / 1_048_576:,.1f} MiB"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else escape(" ".join(str(value).split())[:200])
