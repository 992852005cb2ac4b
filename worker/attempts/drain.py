"""Draining a lane of the inbox: batches of attempts become graded attempts and their effects, a transaction each.

A transaction that fails leaves the inbox as it was, so nothing is lost and nothing counts twice. Attempts that the
database refuses are isolated by halving the batch, and recorded in `attempt_rejections`: poison never blocks a lane.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from typing import Final

import msgspec
import psycopg
from psycopg import errors

from worker import clock, db
from worker.attempts import store, store_writes
from worker.attempts.fold import fold
from worker.attempts.judging import InboxRow, Judged, Rejection, judge
from worker.attempts.question_cache import QuestionCache
from worker.attempts.wire import RawCursor, raw_cursor
from worker.db.engines import Connection

Transaction = Callable[[], AbstractContextManager[Connection]]
"""Opens a transaction: committed at its end, rolled back on any error."""

BATCH_SIZE: Final = 5_000
MAX_SECONDS: Final = 120.0
"""A drain gives up its worker after so long, for the other lanes; well below the broker's visibility timeout."""
_PART: Final = 256
"""Attempts graded before they are sent off: the database inserts them while the next ones are graded."""
_BEHIND: Final = timedelta(days=2)
"""No learner's local day is so far behind UTC's date."""
_TRIES: Final = 2
"""How often a batch is done, with fresh reads, before it is taken apart: a race with another transaction passes."""

_CONTENDED: Final = (errors.DeadlockDetected, errors.SerializationFailure)
_REFUSED: Final = (
    psycopg.IntegrityError,
    psycopg.DataError,
    errors.ProgramLimitExceeded,
    errors.StatementTooComplex,
)

_questions = QuestionCache()


class DrainReport(msgspec.Struct):
    """What a drain did.

    Attributes:
        lane: the lane drained.
        batches: committed transactions that took something.
        taken: attempts taken out of the inbox; the sum of graded, duplicates and rejected.
        graded: attempts graded.
        duplicates: attempts that were graded or rejected before, under the same id.
        rejected: attempts in `attempt_rejections`, by reason.
        retries: transactions rolled back and done again.
        was_busy: another session works on the lane; it looks at the inbox again when it has finished.
        is_empty: the lane's inbox was empty at the end.
    """

    lane: int
    batches: int = 0
    taken: int = 0
    graded: int = 0
    duplicates: int = 0
    rejected: Counter[str] = msgspec.field(default_factory=Counter)
    retries: int = 0
    was_busy: bool = False
    is_empty: bool = False


class _LaneBusy(Exception):  # noqa: N818  a turn of events, not an error
    """Another session holds the lane's lock."""


class _Refused(Exception):  # noqa: N818  carries the database's own error
    """The database refused a batch."""

    def __init__(self, rows: list[InboxRow], error: psycopg.Error) -> None:
        super().__init__(str(error))
        self.rows = rows
        self.error = error


def drain_lane(
    lane: int,
    *,
    batch_size: int = BATCH_SIZE,
    transaction: Transaction = db.transaction,
    now: Callable[[], datetime] = clock.now,
    questions: QuestionCache = _questions,
    max_seconds: float = MAX_SECONDS,
) -> DrainReport:
    """Process the attempts that wait in a lane, oldest first, until there are none or the time is up.

    Args:
        lane: 0–15.
        batch_size: attempts in one transaction; memory grows with it, about 3 kB an attempt.
        transaction: opens a transaction on the database.
        now: tells `graded_at` and `rejected_at`.
        questions: compiled questions to use and add to.
        max_seconds: no batch begins after so long.

    Raises:
        psycopg.OperationalError: the connection was lost or a statement cancelled; what was not committed waits on.
        MemoryError: not even one attempt fits into memory.
    """
    drain = _Drain(DrainReport(lane), transaction, now, questions)
    report = drain.report
    ends_at = time.monotonic() + max_seconds
    limit = batch_size
    suspects = 0  # so many of the oldest attempts hold at least one that the database refuses
    while time.monotonic() < ends_at:
        try:
            taken = drain.batch(min(limit, max(suspects // 2, 1)) if suspects else limit)
        except _LaneBusy:
            report.was_busy = True
            return report
        except MemoryError:
            if limit == 1:
                raise
            limit //= 2
            continue
        except _Refused as refused:
            if len(refused.rows) > 1:
                suspects = len(refused.rows)
                continue
            taken = drain.reject(refused.rows[0], refused.error)
        suspects = max(suspects - taken, 0) if taken else 0
        if taken < limit and not suspects and drain.is_empty():
            report.is_empty = True
            return report
    return report


class _Drain:
    """The transactions of one drain, and the counts of those that were committed."""

    def __init__(
        self, report: DrainReport, transaction: Transaction, now: Callable[[], datetime], questions: QuestionCache
    ) -> None:
        self.report = report
        self._transaction = transaction
        self._now = now
        self._questions = questions

    def batch(self, limit: int) -> int:
        """Process the oldest attempts, at most `limit`, and return how many were taken.

        Raises:
            _LaneBusy: another session works on the lane.
            _Refused: the database refuses these attempts, also after fresh reads.
        """
        for tries_left in reversed(range(_TRIES)):
            rows: list[InboxRow] = []
            try:
                with self._locked() as cursor:
                    rows = store.take_batch(cursor, self.report.lane, limit)
                    judged = self._process(cursor, rows) if rows else Judged()
            except _CONTENDED:
                if not tries_left:
                    raise
            except _REFUSED as error:
                if not tries_left:
                    if rows:
                        raise _Refused(rows, error) from error
                    raise
            else:
                self._count(judged)
                return len(rows)
            self.report.retries += 1
        raise AssertionError("the last try returns or raises")

    def reject(self, row: InboxRow, error: psycopg.Error) -> int:
        """Record that the database refuses an attempt; return 1, or 0 if the inbox holds it no more."""
        detail = f"{error.sqlstate or type(error).__name__}: {error.diag.message_primary or error}"
        with self._locked() as cursor:
            rejected = [Rejection(row, "refused_by_database", detail) for row in store.take_attempt(cursor, row[0])]
            store_writes.write_rejections(cursor, rejected, self._now())
        self._count(Judged(rejected=rejected))
        return len(rejected)

    def is_empty(self) -> bool:
        """Return whether the inbox is empty, seen after the lane's lock was released.

        Whoever was turned away by the lock relies on this look: what they were to process is visible to it.
        """
        with self._planned() as cursor:
            return not store.has_waiting(cursor, self.report.lane)

    @contextmanager
    def _planned(self) -> Iterator[RawCursor]:
        with self._transaction() as connection:
            cursor = raw_cursor(connection)
            store.prepare_plans(cursor)
            yield cursor

    @contextmanager
    def _locked(self) -> Iterator[RawCursor]:
        with self._planned() as cursor:
            if not store.lock_lane(cursor, self.report.lane):
                raise _LaneBusy
            yield cursor

    def _process(self, cursor: RawCursor, rows: list[InboxRow]) -> Judged:
        facts = store.load_facts(cursor, rows, self._questions)
        decided_at = self._now()
        judged = Judged()
        with store_writes.copying_attempts(cursor, decided_at) as insert:
            for start in range(0, len(rows), _PART):
                part = judge(rows[start : start + _PART], facts)
                insert(part.graded)
                judged += part
        if judged.graded:
            progress = store.load_progress(cursor, judged.graded)
            effects = fold(
                judged.graded,
                users=facts.users,
                questions=facts.questions,
                lessons=facts.lessons,
                cards=store.load_cards(cursor, judged.graded, progress, facts.lessons),
                progress=progress,
                loads=store.load_due_counts(cursor, facts.users, decided_at.date() - _BEHIND),
            )
            store_writes.write_effects(cursor, effects, facts.users, decided_at)
        store_writes.write_rejections(cursor, judged.rejected, decided_at)
        return judged

    def _count(self, judged: Judged) -> None:
        report = self.report
        taken = len(judged.graded) + judged.duplicates + len(judged.rejected)
        report.batches += taken > 0
        report.taken += taken
        report.graded += len(judged.graded)
        report.duplicates += judged.duplicates
        report.rejected.update(rejection.reason for rejection in judged.rejected)
