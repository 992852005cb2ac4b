"""`elp keys`: the keys that encrypt columns."""

import typer

from worker import secrets
from worker.cli.console import out

app = typer.Typer(help="The keys that encrypt columns at rest.", no_args_is_help=True)


@app.callback()
def keys() -> None:
    """Keep `new` a command of its own."""


@app.command()
def new() -> None:
    """Print a new key, for ELP_ENCRYPTION_KEYS; nothing is stored."""
    out.print(secrets.new_key(), soft_wrap=True)
