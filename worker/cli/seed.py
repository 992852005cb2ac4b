"""`elp seed`: lessons and questions made from the real data."""

from dataclasses import asdict
from typing import Annotated

import msgspec
import psycopg
import typer
from rich.table import Table

from worker.cli.actors import note
from worker.cli.console import out
from worker.content.seed import SeedReport, plan_content, seed_content
from worker.content.store import Written
from worker.content.values import LEVELS
from worker.db.engines import libpq_url
from worker.embedded import servers
from worker.settings import get_settings


def seed(
    *,
    number: Annotated[int, typer.Option("--seed", help="Decides wrong options, orders and false statements.")] = 1,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Make and check the content, write nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Load lessons and questions made from the data sets; again, and nothing changes."""
    report = plan_content(number) if dry_run else _seeded(number)
    if as_json:
        out.print_json(msgspec.json.encode(asdict(report)).decode())
        return
    out.print(_questions(report))
    out.print(_lessons(report))
    if report.written is not None:
        out.print(_changes(report.written))
    written = "nothing written" if report.written is None else f"written in {report.write_s:.2f} s"
    out.print(f"seed {report.seed}: made and checked in {report.build_s:.2f} s, {written}; {report.digest[:16]}")


def _seeded(number: int) -> SeedReport:
    with servers(get_settings()) as used, psycopg.connect(libpq_url(used.database_url)) as connection:
        with connection.transaction():
            report = seed_content(connection, number)
            if report.written is not None and report.written.changed:
                note(connection, "content.seeded", "content", report.digest[:16], {"seed": number})
        return report


def _questions(report: SeedReport) -> Table:
    table = _table("questions", "type", "skill")
    for kind, skills in report.by_type.items():
        for skill, levels in skills.items():
            _add_counts(table, levels, kind.replace("_", " "), skill)
    totals: dict[str, int] = {
        level: sum(levels[level] for skills in report.by_type.values() for levels in skills.values())
        for level in LEVELS
    }
    table.add_section()
    _add_counts(table, totals, "all", "")
    return table


def _lessons(report: SeedReport) -> Table:
    table = _table("lessons", "skill")
    for skill, levels in report.lessons_by_skill.items():
        _add_counts(table, levels, skill)
    table.add_section()
    totals: dict[str, int] = {
        level: sum(levels[level] for levels in report.lessons_by_skill.values()) for level in LEVELS
    }
    _add_counts(table, totals, "all")
    return table


def _changes(written: Written) -> Table:
    table = Table(title="rows", title_justify="left")
    for name in ("table", "inserted", "updated", "unchanged", "archived", "removed"):
        table.add_column(name, justify="left" if name == "table" else "right")
    for name, upserted, archived, removed in (
        ("questions", written.questions, written.archived_questions, 0),
        ("lessons", written.lessons, written.archived_lessons, 0),
        ("lesson_questions", written.lesson_questions, 0, written.removed_lesson_questions),
    ):
        counts = (upserted.inserted, upserted.updated, upserted.unchanged, archived, removed)
        table.add_row(name, *(f"{count:,}" for count in counts))
    return table


def _table(title: str, *names: str) -> Table:
    table = Table(title=title, title_justify="left")
    for name in names:
        table.add_column(name)
    for level in (*LEVELS, "all"):
        table.add_column(level, justify="right")
    return table


def _add_counts(table: Table, levels: dict[str, int], *names: str) -> None:
    counts = [*(levels[level] for level in LEVELS), sum(levels.values())]
    table.add_row(*names, *(f"{count:,}" for count in counts))
