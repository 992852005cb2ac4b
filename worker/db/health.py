"""Is the database well: does it answer, may it be written, has it the schema that this code needs; and the pool."""

import asyncio
import time
from dataclasses import dataclass
from functools import cache
from typing import Final

from sqlalchemy import Engine, Pool, QueuePool, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from worker.db.engines import async_engine
from worker.db.queries import load_query
from worker.db.schema import head_revision
from worker.db.statements import as_text

TIMEOUT_S: Final = 5.0
"""A check that takes longer has failed: whoever asks decides about traffic and cannot wait."""


@dataclass(frozen=True, slots=True)
class Health:
    """What a check found; what could not be asked is None."""

    ok: bool
    """It answers, takes writes, and has this code's schema or a newer one."""
    problem: str | None
    """Why it isn't ok, with the remedy."""
    latency_ms: float | None
    """Time of one round trip, on a connection that was already there."""
    server_version: str | None
    in_recovery: bool | None
    """It is a standby, or still replaying its log after a crash: it takes no writes."""
    revision: str | None
    """The schema's."""
    expected_revision: str
    """The one this code needs."""


@dataclass(frozen=True, slots=True)
class PoolStatus:
    """The connections that this process keeps; None where the kind of pool doesn't count them."""

    kind: str
    size: int | None
    """Connections kept for reuse at most."""
    idle: int | None
    in_use: int | None
    overflow: int | None
    """Connections beyond `size`, not kept when all are given back; often above 0: the pool is too small."""


async def health_check(*, session: AsyncSession, timeout_s: float = TIMEOUT_S) -> Health:
    """Ask the database how it is; three or four small statements, whatever its size.

    It doesn't raise when the database is away: that is one of its answers.
    """
    expected = _expected_revision()
    try:
        async with asyncio.timeout(timeout_s):
            await session.execute(text("SELECT 1"))  # what connecting costs isn't latency
            started = time.perf_counter()
            await session.execute(text("SELECT 1"))
            latency_ms = (time.perf_counter() - started) * 1_000
            said = (await session.execute(as_text(load_query("worker.db", "health")))).one()
            revision: str | None = None
            if said.migrated:
                revision = await session.scalar(text("SELECT version_num FROM alembic_version"))
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        reason = f"no answer in {timeout_s:g} s" if isinstance(error, TimeoutError) else _first_line(error)
        problem = f"the database does not answer: {reason}"
        return Health(False, problem, None, None, None, None, expected)
    problems = []
    if said.in_recovery:
        problems.append("the server is in recovery and takes no writes: name the primary in ELP_DATABASE_URL")
    # Revisions are numbers of four digits. A newer schema is what a rolling deployment shows to the older processes.
    if revision is None or revision < expected:
        problems.append(f"the schema has revision {revision}, this code needs {expected}: run `alembic upgrade head`")
    return Health(
        ok=not problems,
        problem="; ".join(problems) or None,
        latency_ms=latency_ms,
        server_version=said.version,
        in_recovery=said.in_recovery,
        revision=revision,
        expected_revision=expected,
    )


def pool_status(engine: AsyncEngine | Engine | None = None) -> PoolStatus:
    """Return what the pool of `engine` holds at this moment; of this process's asynchronous engine when left out."""
    engine = engine or async_engine()
    pool: Pool = engine.pool
    if not isinstance(pool, QueuePool):
        return PoolStatus(type(pool).__name__, None, None, None, None)
    return PoolStatus(
        kind=type(pool).__name__,
        size=pool.size(),
        idle=pool.checkedin(),
        in_use=pool.checkedout(),
        overflow=max(0, pool.overflow()),  # SQLAlchemy counts from -size
    )


@cache
def _expected_revision() -> str:
    return head_revision()


def _first_line(error: BaseException) -> str:
    cause = getattr(error, "orig", None) or error
    return (str(cause).strip() or type(cause).__name__).splitlines()[0]
