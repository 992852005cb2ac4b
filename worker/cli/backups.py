"""`elp backups`: look at backups, take, prove, restore and prune them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import psycopg
import typer
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.progress import Progress as Bar
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from worker import clock, logging
from worker.backups.catalogue import Catalogue
from worker.backups.chains import Target
from worker.backups.checking import check as check_now
from worker.backups.checking import save
from worker.backups.codec import new_key
from worker.backups.drills import drill as hold_drill
from worker.backups.entry import Entry
from worker.backups.pruning import prune as prune_now
from worker.backups.repository import Repository
from worker.backups.restoring import Progress
from worker.backups.server import connect
from worker.backups.taking import take
from worker.backups.timeline import draw, size, words
from worker.backups.verifying import Restored, mirror_catalogue, restore_as
from worker.backups.verifying import verify as verify_backup
from worker.cli.actors import note
from worker.cli.console import err, out
from worker.embedded import running_database_url
from worker.settings import Settings, get_settings

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
Label = Annotated[str, typer.Argument(help="The backup's label.")]

app = typer.Typer(help="Backups: look, take, prove by restoring, restore to any instant, prune.", no_args_is_help=True)


Kind = Literal["full", "incremental", "logical"]


@app.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """Show the backups, oldest first."""
    entries = _catalogue(_settings()).entries()
    if as_json:
        _print_json([_summary(entry) for entry in entries])
        return
    if not entries:
        out.print("no backup yet: `elp backups now full`")
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))  # fits into 100 columns
    for name in ("label", "age", "data", "stored", "state", "restore", "held"):  # the label names the kind
        table.add_column(name, overflow="fold")
    now = clock.now()
    for entry in entries:
        proof = entry.proven
        state = "unproven" if proof is None else f"proven {words(now - proof.at)} ago"
        table.add_row(
            entry.label,
            words(now - entry.finished_at),
            size(entry.size_bytes),
            size(entry.stored_bytes),
            "DAMAGED" if entry.checksum_state == "corrupt" else state,
            "" if proof is None else f"{proof.restore_ms / 1_000:.1f} s",
            "yes" if entry.is_held else "",
        )
    out.print(table)


@app.command()
def show(label: Label, *, as_json: AsJson = False) -> None:
    """Show all that is known of a backup, its objects and its tables."""
    entry = _catalogue(_settings()).get(label)
    if as_json:
        _print_json(entry)
    else:
        out.print(msgspec.json.format(msgspec.json.encode(entry), indent=2).decode(), markup=False, soft_wrap=True)


@app.command()
def now(
    kind: Annotated[Kind, typer.Argument(help="What to take.")] = "incremental", *, as_json: AsJson = False
) -> None:
    """Take a backup; while another one is being made, wait for that."""
    entry = take(_settings(), kind, on_wait=lambda: err.print("another backup is being made …"))
    if as_json:
        _print_json(_summary(entry))
    else:
        seconds = (entry.finished_at - entry.started_at).total_seconds()
        out.print(f"{entry.label}: {size(entry.size_bytes)} stored as {size(entry.stored_bytes)} in {seconds:.1f} s")


@app.command()
def verify(
    label: Annotated[str | None, typer.Argument(help="The backup; the newest when left out.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Restore a backup to a scratch server, check it, and write down that it is proven."""
    with _progress(quiet=as_json) as progress:
        done = verify_backup(_settings(), label=label, progress=progress)
    _print_restored(done, as_json=as_json, what="proven")


@app.command()
def restore(
    directory: Annotated[Path, typer.Argument(help="A new folder for the data directory.")],
    *,
    to: Annotated[str | None, typer.Option("--to", help="The instant, such as 2026-11-24T03:00:00Z.")] = None,
    to_xid: Annotated[int | None, typer.Option("--to-xid", help="The last transaction.")] = None,
    before: Annotated[
        bool, typer.Option("--before", help="Without the transaction, or those of that instant.")
    ] = False,
    latest: Annotated[bool, typer.Option("--latest", help="All there is.")] = False,
    label: Annotated[str | None, typer.Option(help="The backup to begin with.")] = None,
    owner: Annotated[str | None, typer.Option(help="Account that the files will belong to; for root.")] = None,
    as_json: AsJson = False,
) -> None:
    """Restore into a new folder and recover to an instant, a transaction or the end: a cluster ready to start."""
    if sum((to is not None, to_xid is not None, latest)) != 1:
        raise typer.BadParameter("name one of --to, --to-xid and --latest")
    target = Target(at=None if to is None else _instant(to), xid=to_xid, inclusive=not before)
    with _progress(quiet=as_json) as progress:
        done = restore_as(_settings(), directory.absolute(), target, label=label, owner=owner, progress=progress)
    _note(_settings(), "backup.restored", done.entry.label)
    _print_restored(done, as_json=as_json, what=f"restored to {directory.absolute()}")


@app.command()
def prune(
    *,
    dry: Annotated[bool, typer.Option("--dry-run", help="Only show what would go.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove the backups and the log that the retention lets go, and what failed attempts left behind."""
    done = prune_now(_settings(), dry=dry, on_wait=lambda: err.print("a backup is being made …"))
    if not dry:
        for label in done.decision.removed:
            _note(_settings(), "backup.pruned", label)
    if as_json:
        _print_json(
            {
                "kept": dict(done.decision.kept),
                "removed": list(done.decision.removed),
                "orphans": list(done.orphans),
                "segments": done.segments,
                "bytes": done.bytes,
            }
        )
        return
    for label, reason in done.decision.kept.items():
        out.print(f"keep    {label}  {reason}")
    for label in (*done.decision.removed, *done.orphans):
        out.print(f"{'would remove' if dry else 'removed'}  {label}")
    out.print(f"{size(done.bytes)} and {done.segments:,} log segments{' would be' if dry else ''} freed")


@app.command()
def drill(*, as_json: AsJson = False) -> None:
    """Write a marker, restore to just before and to just after it, and see that it is missing and there."""
    with _progress(quiet=as_json) as progress:
        done = hold_drill(_settings(), progress=progress)
    if as_json:
        _print_json({"id": done.id, "before_ms": done.before.restore_ms, "after_ms": done.after.restore_ms})
    else:
        out.print(
            f"just before the marker it is missing (restored in {done.before.restore_ms / 1_000:.1f} s), "
            f"just after it is there ({done.after.restore_ms / 1_000:.1f} s)"
        )


@app.command()
def check(*, as_json: AsJson = False) -> None:
    """Look whether the log arrives and which is the newest restorable instant; exit code 1 if something is wrong."""
    settings = _settings()
    found = check_now(settings, clock.now())
    with connect(settings.required_database_url()) as connection:
        save(connection, found)
    if as_json:
        _print_json(
            {
                "restorable_at": found.restorable_at,
                "slot": found.slot_state,
                "retained_bytes": found.retained_bytes,
                "problems": list(found.problems),
            }
        )
    else:
        kept = "" if found.retained_bytes is None else f", {size(found.retained_bytes)} of log kept for it"
        out.print(f"slot {found.slot_state}{kept}")
        out.print("every instant up to now can be restored" if found.restorable_at else "not restorable up to now")
        for problem in found.problems:
            out.print(f"[bold red]problem[/]: {escape(problem)}", soft_wrap=True)
    raise typer.Exit(1 if found.problems else 0)


@app.command()
def timeline(*, as_json: AsJson = False) -> None:
    """Draw the chains: ● full, ○ incremental, ◇ logical; what is proven, and how far the log reaches."""
    settings = _settings()
    repository = Repository.from_settings(settings)
    entries = Catalogue(repository).entries()
    lines = draw(entries, _restorable_at(settings, repository), clock.now())
    if as_json:
        _print_json(lines)
        return
    for line in lines:
        out.print(line, markup=False, soft_wrap=True)


@app.command()
def hold(
    label: Label,
    *,
    release: Annotated[bool, typer.Option("--release", help="Let go of it again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Hold a backup, and what it builds on, whatever the retention says: for legal reasons."""
    settings = _settings()
    repository = Repository.from_settings(settings)
    catalogue = Catalogue(repository)
    entry = catalogue.change(label, is_held=not release)
    mirror_catalogue(settings, catalogue, repository)
    _note(settings, "backup.released" if release else "backup.held", label)
    if as_json:
        _print_json(_summary(entry))
    else:
        out.print(f"{label} {'may be pruned again' if release else 'is held'}")


@app.command()
def key() -> None:
    """Make a key: the first line is for ELP_BACKUP_KEY and a safe place, the second is its public half."""
    secret, public = new_key()
    out.print(secret, markup=False, soft_wrap=True)
    err.print(f"public: {public}", soft_wrap=True)


def _settings() -> Settings:
    settings = get_settings()
    logging.configure("cli", settings.model_copy(update={"log_level": "WARNING"}))
    if settings.database_url is None and (url := running_database_url()) is not None:
        return settings.model_copy(update={"database_url": url})
    return settings


def _catalogue(settings: Settings) -> Catalogue:
    return Catalogue(Repository.from_settings(settings))


def _note(settings: Settings, action: str, label: str) -> None:
    """Record what an operator did outside the database, which may be away at that time; then say that it is missing."""
    if settings.database_url is None:
        return
    try:
        with connect(settings.database_url) as connection, connection.transaction():
            note(connection, action, "backup", label, {})
    except psycopg.Error as error:
        err.print(f"{action} {label} is not in the audit log: {str(error).strip()}", markup=False, soft_wrap=True)


def _summary(entry: Entry) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(entry)
    found.pop("content", None)
    found.pop("objects", None)
    return found


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no instant: write 2026-11-24T03:00:00Z") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _restorable_at(settings: Settings, repository: Repository) -> datetime | None:
    if settings.database_url is None:
        return None
    try:
        with connect(settings.database_url) as connection:
            row = connection.execute(
                "SELECT restorable_at FROM backup_checks WHERE location = %s", [repository.location]
            ).fetchone()
    except psycopg.OperationalError:
        return None  # restores are for when it is away
    return None if row is None else row[0]


def _print_restored(done: Restored, *, as_json: bool, what: str) -> None:
    if as_json:
        _print_json(
            {
                "label": done.entry.label,
                "target": str(done.target),
                "restore_ms": done.restore_ms,
                "segments": done.segments,
                "checks": [check.name for check in done.checks],
                "damaged": dict(done.damaged),
            }
        )
        return
    for label, problem in done.damaged.items():
        out.print(f"[bold red]damaged[/] {label}: {escape(problem)}", soft_wrap=True)
    out.print(f"{done.entry.label} {what}: {done.target}, in {done.restore_ms / 1_000:.1f} s", soft_wrap=True)
    out.print(f"checked: {', '.join(check.name for check in done.checks)}", soft_wrap=True)


def _print_json(value: object) -> None:
    out.print_json(msgspec.json.encode(value).decode())


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Progress]:
    with Bar(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=err, disable=quiet) as bar:
        task = bar.add_task("read the catalogue", total=None)

        def heard(step: str, done: int, total: int) -> None:
            share = f" {100 * done // total} %" if total else f" {done:,}" if done else ""
            bar.update(task, description=f"{step}{share}")

        yield heard
