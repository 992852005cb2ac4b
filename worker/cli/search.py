"""`elp search`: how the vectors stand, and computing all of them anew."""

import time
from typing import Annotated

import msgspec
import psycopg
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from worker.cli.actors import note
from worker.cli.console import err, out
from worker.db import Connection, transaction
from worker.db.engines import libpq_url
from worker.embedded import servers
from worker.search import store
from worker.search.refresh import BATCH, KINDS, Refreshed, refresh
from worker.search.throttle import Limits, wait_while_burdened
from worker.search.values import Kind
from worker.settings import get_settings

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
_LOOK_EVERY_S = 1.0
_TURN_S = 5.0

app = typer.Typer(help="Search: how it stands, computing it anew.", no_args_is_help=True)


@app.command()
def status(*, as_json: AsJson = False) -> None:
    """Show how far the search vectors are; exit code 1 while something waits."""
    with servers(), transaction() as connection:
        found = store.status(connection)
    if as_json:
        out.print_json(msgspec.json.encode(found).decode())
    else:
        table = Table("kind", "rows", "definition", "to be marked", "marks", "oldest mark", "words")
        for each in found:
            version = f"{each.version}" if each.version == each.wanted else f"{each.version} → {each.wanted}"
            oldest = "–" if each.oldest_at is None else f"{each.oldest_at:%Y-%m-%d %H:%M:%S}Z"
            words = "to be counted" if each.words_due else "counted"
            table.add_row(
                each.kind, f"{each.objects:,}", version, f"{each.unmarked:,}", f"{each.marks:,}", oldest, words
            )
        out.print(table)
    raise typer.Exit(1 if any(each.marks or each.unmarked for each in found) else 0)


@app.command()
def rebuild(
    kind: Annotated[Kind | None, typer.Option(help="Only these; both when left out.")] = None,
    *,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what was begun; do not start anew.")] = False,
    batch: Annotated[int, typer.Option(min=1, max=10_000, help="Rows in one transaction.")] = BATCH,
) -> None:
    """Compute every search vector anew, while all goes on: only those that differ are written.

    Stopped at any moment, it is gone on with by the workers, or here with --resume. Pauses while a replica lags or the
    server is busy (ELP_SEARCH_MAX_REPLICA_LAG_MB, ELP_SEARCH_MAX_ACTIVE_SESSIONS).
    """
    kinds = [kind] if kind else KINDS
    limits = Limits.from_settings(get_settings())
    started = time.monotonic()
    written = 0
    with servers() as used, psycopg.connect(libpq_url(used.database_url), autocommit=True) as looking:
        if not resume:
            with transaction() as connection:
                store.begin_rebuild(connection, kinds)
                note(connection, "search.rebuild_begun", "search", ",".join(kinds), {})
        columns = (TextColumn("[progress.description]{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, TimeRemainingColumn(), console=err) as progress:
            todo = progress.add_task("computing", total=_left(looking))

            def show(done: Refreshed) -> None:
                nonlocal written
                written += done.written
                progress.advance(todo, done.marks)

            while left := _left(looking):
                wait_while_burdened(
                    looking, limits, tell=lambda why: progress.update(todo, description=f"paused: {why}")
                )
                progress.update(todo, description="computing")
                done = refresh(max_seconds=_TURN_S, batch=batch, between=show)
                now_left = _left(looking)
                progress.update(todo, completed=max(0, (progress.tasks[0].total or 0) - now_left))
                if done.was_busy or (now_left >= left and not done.marks):  # a worker is at it, or an editor holds rows
                    time.sleep(_LOOK_EVERY_S)
        with transaction() as connection:
            words = store.count_words(connection)
    seconds = time.monotonic() - started
    out.print(f"all vectors are as the definition says; {written:,} written here, {words:,} words, {seconds:,.1f} s")


def _left(connection: Connection) -> int:
    """Return how many marks wait, and rows that are yet to be marked."""
    return sum(each.marks + each.unmarked for each in store.status(connection))
