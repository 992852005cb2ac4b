"""`elp demo`: the main job, end to end, on simulated learners, with a summary that is checked."""

import threading
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from worker import logging
from worker.cli.console import out
from worker.demo.run import Figures, Outcome, Scale, run, running_platform
from worker.settings import get_settings
from worker.supervisor import read_procfile
from worker.supervisor.platform import Platform


def demo(
    *,
    attempts: Annotated[int, typer.Option(min=100, help="How many attempts to send.")] = 20_000,
    learners: Annotated[int, typer.Option(min=3, help="How many learners make them.")] = 500,
    seed: Annotated[int, typer.Option(help="The same seed gives the same learners and answers.")] = 1,
    stay: Annotated[bool, typer.Option("--stay", help="Keep everything running until Ctrl-C.")] = False,
    procfile: Annotated[Path, typer.Option(help="What to run.")] = Path("Procfile"),
) -> None:
    """Run the platform with simulated learners and check what came of their attempts."""
    settings = get_settings()
    logging.configure("demo", settings.model_copy(update={"log_level": "WARNING"}))  # the display is the report
    logs = settings.data_dir / "logs"
    out.print(f"starting servers and processes; their output goes to {logs}")
    with running_platform(settings, read_procfile(procfile), logs) as running:
        running.supervisor.wait_healthy()
        out.print(f"{', '.join(running.supervisor.children)}: healthy")
        outcome = run(running, Scale(attempts, learners, seed), out, logs)
        out.print(_summary(outcome))
        out.print(_rates(outcome.figures))
        out.print(_addresses(running))
        if stay:
            out.print("running until Ctrl-C …")
            threading.Event().wait()
    if not all(verdict.holds for verdict in outcome.verdicts):
        out.print("[bold red]a check failed[/]")
        raise typer.Exit(1)
    out.print("[bold green]every check holds[/]")


def _summary(outcome: Outcome) -> Table:
    table = Table(title="what came of it", title_justify="left")
    table.add_column("check")
    table.add_column("expected", justify="right")
    table.add_column("seen", justify="right")
    table.add_column("")
    for verdict in outcome.verdicts:
        mark = "[green]✓[/]" if verdict.holds else "[bold red]✗[/]"
        table.add_row(verdict.what, verdict.expected, verdict.seen, mark)
    return table


def _rates(figures: Figures) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_row(
        "sent", f"{figures.sent:,} attempts in {figures.sending_s:.1f} s", f"{_rate(figures.sent, figures.sending_s)}/s"
    )
    table.add_row(
        "processed",
        f"{figures.graded:,} graded in {figures.processed_s:.1f} s",
        f"{_rate(figures.graded, figures.processed_s)}/s",
    )
    table.add_row(
        "due queues", f"{figures.queues:,} in {figures.queues_s:.2f} s", f"{_rate(figures.queues, figures.queues_s)}/s"
    )
    return table


def _rate(count: int, seconds: float) -> str:
    return f"{count / seconds:,.0f}"


def _addresses(running: Platform) -> Table:
    token, login = running.settings.api_token, running.settings.flower_auth
    table = Table.grid(padding=(0, 2))
    table.add_row("API documentation", f"{running.api_url}/docs")
    table.add_row("Flower", running.flower_url)
    if token and login:
        table.add_row("bearer token", token.get_secret_value())
        table.add_row("Flower login", login.get_secret_value())
    return table
