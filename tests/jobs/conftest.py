"""Jobs of a test's own, and a look at the ledger."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest

from worker.jobs import job
from worker.jobs.definition import Body, Job, Planner, Shard
from worker.jobs.registry import registry


@pytest.fixture
def declare() -> Iterator[Callable[..., Job]]:
    """Declare jobs for this test: `declare("test.count", body, shards=3)`; they are forgotten afterwards."""
    names: list[str] = []

    def declare_one(
        name: str,
        body: Body | None = None,
        *,
        shards: int | None = None,
        planner: Planner | None = None,
        **options: Any,
    ) -> Job:
        def body_with_docstring(shard: Any) -> int:
            """Do what the test says."""
            return 1 if body is None else body(shard)

        if shards is not None:
            planner = lambda _: [{"n": n} for n in range(shards)]  # noqa: E731
        names.append(name)
        job(name, planner=planner, **options)(body_with_docstring)
        return registry.get(name)

    yield declare_one
    for name in names:
        registry.remove(name)


class Ledger:
    """Reads the ledger of a database as a test asks about it."""

    def __init__(self, url: str) -> None:
        self._url = url

    def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._url, autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def run(self, run_id: UUID) -> dict[str, Any]:
        names = ("state", "shards_total", "shards_done", "shards_failed", "items", "error", "trigger")
        (row,) = self.query(f"SELECT {', '.join(names)} FROM job_runs WHERE id = %s", run_id)
        return dict(zip(names, row, strict=True))

    def shards(self, run_id: UUID, *columns: str) -> list[tuple[Any, ...]]:
        return self.query(f"SELECT {', '.join(columns)} FROM job_shards WHERE run_id = %s ORDER BY number", run_id)


@pytest.fixture
def ledger(database_url: str) -> Ledger:
    return Ledger(database_url)


@pytest.fixture
def effects(ledger: Ledger) -> Any:
    """A table for the shards' effects, and how often each came about."""
    ledger.query("CREATE TABLE effects (n int)")

    def note(shard: Shard) -> int:
        shard.connection.execute("INSERT INTO effects VALUES (%s)", (shard.bounds["n"],))
        return 10

    def counted() -> Counter[int]:
        return Counter(n for (n,) in ledger.query("SELECT n FROM effects"))

    counting: Any = note
    counting.counted = counted
    return counting
