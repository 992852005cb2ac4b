"""Keeps the lease of the shard that is being worked on, so that a long shard needs no long lease."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import TracebackType
from typing import Final, Self

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from worker import clock
from worker.db import transaction
from worker.jobs import ledger
from worker.jobs.ledger import Claim
from worker.logging import get_logger

_log = get_logger(__name__)
_BEATS_PER_LEASE: Final = 3
"""Extensions in the time of one lease: two may fail before it runs out."""


class LeaseKeeper:
    """A thread that extends the lease of the held claim; one serves all shards of a task, one after the other."""

    def __init__(self, lease: timedelta) -> None:
        self._lease = lease
        self._claim: Claim | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease-keeper", daemon=True)

    def __enter__(self) -> Self:
        """Start keeping."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop; an extension under way is not waited for (it touches nothing once the claim is marked)."""
        self._stopped.set()

    @contextmanager
    def holding(self, claim: Claim) -> Iterator[None]:
        """Extend the lease of `claim` for as long as the block runs."""
        self._claim = claim
        try:
            yield
        finally:
            self._claim = None

    def _keep(self) -> None:
        while not self._stopped.wait(self._lease.total_seconds() / _BEATS_PER_LEASE):
            claim = self._claim
            if claim is not None:
                self._extend(claim)

    def _extend(self, claim: Claim) -> None:
        try:
            with transaction() as connection:
                kept = ledger.extend_lease(connection, claim, clock.now() + self._lease)
                # Not kept is no loss when the shard has just been marked, which an extension may have waited for.
                lost = not kept and ledger.was_taken_over(connection, claim)
        except (psycopg.Error, SQLAlchemyError) as error:
            _log.warning("lease_not_extended", run_id=str(claim.run_id), shard=claim.number, error=str(error))
            return
        if lost:
            _log.warning("lease_lost", run_id=str(claim.run_id), shard=claim.number)
