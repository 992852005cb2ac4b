"""`elp content`: lessons, questions and sets out of the database and into it, as CSV or JSON Lines."""

import sys
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Final, Literal, cast, get_args

import msgspec
import typer
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from worker.cli.actors import note
from worker.cli.console import err, out
from worker.db import DatabaseUtils, transaction
from worker.db.exports import FileFormat
from worker.db.import_lines import ImportRefusedError, LineError
from worker.db.imports import MAX_ERRORS
from worker.embedded import servers
from worker.models import Base

Content = Literal["lessons", "questions", "question_sets", "lesson_questions", "questionset_questions"]
"""The tables of content."""
_NOT_EXCHANGED: Final = {"search_vector", "created_at", "updated_at"}
"""What the database keeps for itself."""
_SHOWN: Final = 20
Format = Annotated[
    FileFormat | None, typer.Option("--format", help="csv or jsonl; by the file's ending when left out.")
]

app = typer.Typer(help="Content in bulk: export and import.", no_args_is_help=True)


@app.command("export")
def export_content(
    table: Annotated[Content, typer.Argument(help="Which content.")],
    file: Annotated[
        Path | None, typer.Argument(help="Where to; standard output when left out.", dir_okay=False)
    ] = None,
    *,
    file_format: Format = None,
    where: Annotated[list[str] | None, typer.Option(help="column=value; several must all hold.")] = None,
) -> None:
    """Write content as CSV or JSON Lines, by one COPY: memory stays flat. `import` takes it back."""
    columns = {
        name: column for name, column in Base.metadata.tables[table].columns.items() if name not in _NOT_EXCHANGED
    }
    conditions = dict(_condition(each, columns) for each in where or ())
    values = {f"value_{number}": value for number, value in enumerate(conditions.values())}
    clauses = [f"{name}::text = %(value_{number})s" for number, name in enumerate(conditions)] or ["true"]
    keys = ", ".join(column.name for column in Base.metadata.tables[table].primary_key)
    query = f"SELECT {', '.join(columns)} FROM {table} WHERE {' AND '.join(clauses)} ORDER BY {keys}"  # noqa: S608  names of our own tables
    target = nullcontext(sys.stdout.buffer) if file is None else file.open("wb")
    with servers(), transaction() as connection, target as written:
        for block in DatabaseUtils.export_rows(
            connection, query, values or None, file_format=_format(file_format, file)
        ):
            written.write(block)


@app.command("import")
def import_content(
    table: Annotated[Content, typer.Argument(help="Which content.")],
    file: Annotated[Path, typer.Argument(help="A file as `export` writes it.", exists=True, dir_okay=False)],
    *,
    file_format: Format = None,
    all_or_nothing: Annotated[
        bool, typer.Option("--all-or-nothing", help="One bad line, and nothing is taken.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Load content: rows that are there are updated where they differ, bad lines are reported by line and field.

    Exit code 1: some lines were not taken; 2: nothing was.
    """
    key = [column.name for column in Base.metadata.tables[table].primary_key]
    columns = (SpinnerColumn(), TextColumn("{task.completed:,} lines"), TimeElapsedColumn())
    refused: ImportRefusedError | None = None
    with servers(), Progress(*columns, console=err, disable=as_json) as shown, file.open("rb") as lines:
        task = shown.add_task("import", total=None)
        try:
            with transaction() as connection:
                done = DatabaseUtils.import_rows(
                    connection,
                    table,
                    lines,
                    file_format=_format(file_format, file),
                    key=key,
                    max_errors=0 if all_or_nothing else MAX_ERRORS,
                    progress=lambda count: shown.update(task, completed=count),
                )
                if done.inserted or done.updated:
                    counts = {"inserted": done.inserted, "updated": done.updated}
                    note(connection, "content.imported", "table", table, counts)
        except ImportRefusedError as error:
            refused = error
    if refused is not None:
        _show_errors(refused.errors)
        raise refused
    if as_json:
        out.print_json(msgspec.json.encode(done).decode())
    else:
        _show_errors(done.errors)
        taken = f"{done.inserted:,} new, {done.updated:,} changed, {done.unchanged:,} as they were"
        out.print(f"{taken}, {len(done.errors):,} bad")
    raise typer.Exit(1 if done.errors else 0)


def _condition(text: str, columns: Mapping[str, object]) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or name not in columns:
        raise typer.BadParameter(f"{text!r}: column=value, of the columns {', '.join(columns)}", param_hint="--where")
    return name, value


def _format(given: FileFormat | None, file: Path | None) -> FileFormat:
    ending = "jsonl" if file is None else file.suffix.removeprefix(".").lower()
    chosen = given or ending
    if chosen not in get_args(FileFormat):
        raise typer.BadParameter(f"name csv or jsonl: {file} does not tell which", param_hint="--format")
    return cast("FileFormat", chosen)


def _show_errors(errors: tuple[LineError, ...]) -> None:
    for error in errors[:_SHOWN]:
        field = f" {error.field}:" if error.field else ""
        err.print(f"line {error.line}:{escape(field)} {escape(error.message)}", soft_wrap=True)
    if len(errors) > _SHOWN:
        err.print(f"and {len(errors) - _SHOWN:,} more; --json lists all")
