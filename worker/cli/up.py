"""`elp up`: the whole platform in one terminal."""

import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import psycopg
import typer
from rich.panel import Panel
from rich.table import Table

from worker import clock
from worker.cli.console import out
from worker.db.engines import libpq_url
from worker.heartbeats.store import load_heartbeats
from worker.settings import get_settings
from worker.supervisor import Supervisor, read_procfile
from worker.supervisor.output import PrefixedOutput, wants_colour
from worker.supervisor.platform import Platform, platform


def up(
    *,
    procfile: Annotated[Path, typer.Option(help="What to run.")] = Path("Procfile"),
    demo_secrets: Annotated[
        bool, typer.Option("--demo-secrets", help="Make up ELP_API_TOKEN and ELP_FLOWER_AUTH where they are not set.")
    ] = False,
    timeout: Annotated[float, typer.Option(help="Seconds within which every process must be healthy.")] = 120.0,
) -> None:
    """Start every process of the Procfile, watch over them, and stop them on Ctrl-C."""
    settings = get_settings()
    entries = read_procfile(procfile)
    output = PrefixedOutput(sys.stdout, [entry.name for entry in entries], colour=wants_colour(sys.stdout))
    stop = threading.Event()
    with platform(settings, entries, output, demo_secrets=demo_secrets) as running:
        # A process that is asked to stop has done its job when it has stopped: exit code 0.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _stopper(stop, running.supervisor))
        if running.supervisor.wait_healthy(timeout, cancelled=stop):
            out.print(_summary(running, demo_secrets=demo_secrets))
            stop.wait()
        out.print("stopping …")


def _stopper(stop: threading.Event, supervisor: Supervisor) -> Callable[[int, object], None]:
    """Return a signal handler: the first signal stops in order, a second one at once."""

    def handle(_number: int, _frame: object) -> None:
        if stop.is_set():
            supervisor.hurry()
        stop.set()

    return handle


def _summary(running: Platform, *, demo_secrets: bool) -> Panel:
    table = Table.grid(padding=(0, 2))
    names = running.supervisor.children
    if "api" in names:
        table.add_row("API docs", f"{running.api_url}/docs")
        table.add_row("Health", f"{running.api_url}/v1/health")
        table.add_row("Metrics", f"{running.api_url}/metrics (bearer token)")
    if addresses := _metrics_addresses(running):
        table.add_row("Workers' metrics", ", ".join(addresses))
    if "flower" in names:
        table.add_row("Flower", running.flower_url)
    if demo_secrets and running.settings.api_token and running.settings.flower_auth:
        table.add_row("API token", running.settings.api_token.get_secret_value())
        table.add_row("Flower login", running.settings.flower_auth.get_secret_value())
    if running.servers.embedded:
        table.add_row("Embedded", f"{' and '.join(running.servers.embedded)} in {running.settings.data_dir}")
    table.add_row("Ctrl-C", "stops everything; twice: at once")
    return Panel(table, title=f"{', '.join(names)}: healthy", title_align="left", expand=False)


def _metrics_addresses(running: Platform) -> list[str]:
    """Return where the workers that live serve their figures, as they said in their heartbeats."""
    with psycopg.connect(libpq_url(running.servers.database_url)) as connection:
        heartbeats = load_heartbeats(connection)
    now = clock.now()
    return [beat.metrics_address for beat in heartbeats if beat.metrics_address and beat.is_alive(now)]
