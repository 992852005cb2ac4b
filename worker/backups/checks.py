"""What a restored database must pass before its backup counts as proven."""

from collections.abc import Sequence
from dataclasses import dataclass

from worker.backups.content import differences
from worker.backups.entry import Content
from worker.backups.errors import ToolError
from worker.backups.programs import Programs
from worker.backups.recovery import RestoredServer
from worker.backups.server import PACKAGE
from worker.db.queries import load_query


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check, and what is wrong if anything is."""

    name: str
    problem: str | None = None


INVARIANTS: Sequence[str] = ("invariant_answers", "invariant_jobs")
"""Queries that return a line for each row that contradicts another one: none, in a sound database."""


def check_database(
    server: RestoredServer, programs: Programs, content: Content | None, *, at_restore_point: bool, structure: bool
) -> list[CheckResult]:
    """Run the checks on a recovered server.

    Args:
        server: answers already.
        programs: of its version.
        content: what was recorded when the backup was made.
        at_restore_point: it was recovered to exactly that point, so the tables must be equal.
        structure: run pg_amcheck, which needs its extension and so changes the database.
    """
    results = [CheckResult("starts")]
    if structure:
        results.append(_amcheck(server, programs))
    if content is None:
        return results
    with server.connect() as connection:
        if content.revision is not None:
            row = connection.execute("SELECT max(version_num) FROM public.alembic_version").fetchone()
            seen = None if row is None else row[0]
            wrong = None if seen == content.revision else f"the schema is at {seen}, not {content.revision}"
            results.append(CheckResult("migrations", wrong))
        if at_restore_point:
            found = differences(connection, content)
            results.append(CheckResult(f"content of {len(content.tables)} tables", "; ".join(found[:10]) or None))
        if content.revision is not None:
            for name in INVARIANTS:
                lines = connection.execute(load_query(PACKAGE, name), {}).fetchall()
                problem = "; ".join(str(line[0]) for line in lines[:10]) or None
                results.append(CheckResult(name.replace("_", " "), problem))
    return results


def _amcheck(server: RestoredServer, programs: Programs) -> CheckResult:
    try:
        programs.run("pg_amcheck", "--install-missing", "--all", "--no-password", environment=server.environment)
    except ToolError as error:
        if "could not find" in error.said or "is not available" in error.said:
            return CheckResult("pg_amcheck: not installed")
        return CheckResult("pg_amcheck", error.said.strip()[-500:])
    return CheckResult("pg_amcheck")
