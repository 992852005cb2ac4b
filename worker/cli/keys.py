"""`elp keys`: the keys that encrypt columns."""

import typer

from worker import clock, secrets
from worker.audit import AuditEntry, record
from worker.cli.actors import actor
from worker.cli.console import out
from worker.db import transaction
from worker.embedded import servers
from worker.secrets import Cipher
from worker.security.rotation import Progress
from worker.security.rotation import rotate as rotate_columns
from worker.settings import get_settings

app = typer.Typer(help="The keys that encrypt columns at rest.", no_args_is_help=True)


@app.command()
def new() -> None:
    """Print a new key, for ELP_ENCRYPTION_KEYS; nothing is stored."""
    out.print(secrets.new_key(), soft_wrap=True)


@app.command()
def rotate() -> None:
    """Encrypt every column anew under the first key; may be stopped at any moment and started again.

    Put the new key before the old one in ELP_ENCRYPTION_KEYS, restart the processes, rotate, then remove the old key.
    Exit code 1 if values are left that none of the keys decrypts.
    """
    cipher = Cipher.from_settings(get_settings())
    done: dict[str, Progress] = {}
    with servers():
        for progress in rotate_columns(transaction, cipher):
            done[f"{progress.column.table}.{progress.column.name}"] = progress
        with transaction() as connection:
            entries = [
                AuditEntry(actor(), "keys.rotated", "column", name, {}, {"rotated": progress.rotated})
                for name, progress in done.items()
            ]
            record(connection, entries, clock.now())
    for name, progress in done.items():
        left = f", [bold red]{progress.unreadable:,} unreadable[/]" if progress.unreadable else ""
        out.print(f"{name}: {progress.rotated:,} of {progress.seen:,} encrypted anew{left}")
    if any(progress.unreadable for progress in done.values()):
        raise typer.Exit(1)
