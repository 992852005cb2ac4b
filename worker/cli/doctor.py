"""`elp doctor`: is everything well, and what to do if not."""

from pathlib import Path
from typing import Annotated

import msgspec
import psycopg
import typer
from rich.markup import escape
from rich.table import Table

import tasks
from worker import clock
from worker.cli.console import out
from worker.db.engines import libpq_url
from worker.doctor import Facts, Finding, examine, gather
from worker.doctor.rules import exit_code
from worker.doctor.security import examine_security, read_security
from worker.embedded import running_database_url, running_redis_url
from worker.jobs.registry import load_jobs
from worker.settings import get_settings

_MARKS = {"ok": "[green]ok[/]", "warning": "[yellow]warning[/]", "critical": "[bold red]critical[/]"}


def doctor(
    *,
    worker: Annotated[
        str | None, typer.Option(help="Ask only whether this worker (its node name) lives and takes messages.")
    ] = None,
    security: Annotated[
        bool, typer.Option("--security", help="Look instead at what makes an intruder's work easier.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show only what is not well.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Check servers, workers, jobs and queues; exit code 0: all well, 1: warnings, 2: something critical.

    It starts nothing and changes nothing.
    """
    findings = _security() if security else _health(worker)
    code = exit_code(findings)
    if as_json:
        status = ("ok", "warning", "critical")[code]
        out.print_json(msgspec.json.encode({"status": status, "findings": findings}).decode())
    else:
        out.print(_table([finding for finding in findings if not quiet or finding.level != "ok"]))
    raise typer.Exit(code)


def _health(worker: str | None) -> list[Finding]:
    settings = get_settings()
    jobs = load_jobs(tasks.MODULES)
    facts = gather(
        settings.database_url or running_database_url(),
        settings.redis_url or running_redis_url(),
        jobs,
        _task_names(),
        settings.data_dir,
    )
    return [_one_worker(facts, worker)] if worker else examine(facts)


def _security() -> list[Finding]:
    settings = get_settings()
    url = settings.database_url or running_database_url()
    found = None
    if url is not None:
        with psycopg.connect(libpq_url(url), connect_timeout=5) as connection:
            found = read_security(connection, clock.now())
    return examine_security(settings, found, Path(str(settings.model_config.get("env_file") or ".env")))


def _one_worker(facts: Facts, worker: str) -> Finding:
    """Return the finding of a health probe: what PostgreSQL last heard of one worker."""
    state = facts.database.state if facts.database else None
    if state is None:
        return Finding("workers", "critical", f"PostgreSQL can't tell: {facts.database_problem}", "see `elp doctor`")
    for heartbeat in state.heartbeats:
        if heartbeat.worker == worker:
            age = (facts.now - heartbeat.seen_at).total_seconds()
            if not heartbeat.is_alive(facts.now):
                return Finding("workers", "critical", f"{worker} was last heard of {age:.0f} s ago", "restart it")
            if not heartbeat.is_consuming:
                found = f"{worker} lives and is not connected to the broker"
                return Finding("workers", "warning", found, "see that it reaches Redis")
            return Finding("workers", "ok", f"{worker} was heard of {age:.0f} s ago and takes messages")
    known = ", ".join(heartbeat.worker for heartbeat in state.heartbeats) or "none"
    return Finding("workers", "critical", f"{worker} was never heard of", f"name one of: {known}")


def _task_names() -> list[str]:
    from worker.app import task_names  # noqa: PLC0415 - Celery is slow to import

    return sorted(task_names)


def _table(findings: list[Finding]) -> Table:
    table = Table("check", "", "found", "remedy")
    for finding in findings:
        table.add_row(finding.check, _MARKS[finding.level], escape(finding.found), escape(finding.remedy or ""))
    return table
