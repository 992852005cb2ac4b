"""`elp servers`: the embedded PostgreSQL and Valkey."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from worker.cli.console import out
from worker.embedded import manager
from worker.embedded.postgres import installed_binaries
from worker.errors import ConfigurationError
from worker.settings import get_settings

app = typer.Typer(help="Look at and stop the embedded servers.", no_args_is_help=True)


@app.command()
def status() -> None:
    """Show whether the embedded servers run, and where."""
    settings = get_settings()
    table = Table("server", "state", "process", "address", "folder")
    for server in manager.status(settings):
        state = "stopped" if server.pid is None else "answers" if server.answers else "does not answer"
        address = f"127.0.0.1:{server.port}" if server.port else ""
        table.add_row(server.title, state, str(server.pid or ""), address, str(server.home))
    out.print(table)
    for name, url in (("ELP_DATABASE_URL", settings.database_url), ("ELP_REDIS_URL", settings.redis_url)):
        if url is not None:
            out.print(f"{name} is set: no embedded server is used in its place.")


@app.command(context_settings={"ignore_unknown_options": True})
def run(
    command: Annotated[list[str], typer.Argument(help="Program and arguments.")],
    *,
    scratch: Annotated[bool, typer.Option("--scratch", help="With new, empty servers of its own.")] = False,
) -> None:
    """Run a program with the servers up and ELP_DATABASE_URL and ELP_REDIS_URL naming them."""
    with manager.scratch_servers() if scratch else manager.servers():
        path = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
        with suppress(ConfigurationError):
            path.append(str(installed_binaries()))  # psql, pg_dump …, where the machine has none of its own
        environment = {**os.environ, "PATH": os.pathsep.join(path)}
        done = subprocess.run(command, env=environment, check=False)  # noqa: S603 - the operator's own
    raise typer.Exit(done.returncode if done.returncode >= 0 else 128 - done.returncode)


@app.command()
def stop(
    *,
    force: Annotated[bool, typer.Option("--force", help="Also while other processes work with them.")] = False,
) -> None:
    """Stop the embedded servers, also those that a crash left behind."""
    stopped = manager.stop(get_settings(), force=force)
    out.print(f"stopped {' and '.join(stopped)}" if stopped else "no embedded server runs")
