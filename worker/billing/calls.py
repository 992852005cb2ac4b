"""Many calls to one gateway at once, their results written together: the middle of renewing and of resolving."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Final, TypeVar

from worker.billing.gateways.port import LookupOutcome, Unknown
from worker.logging import get_logger

_log = get_logger(__name__)
Item = TypeVar("Item")

_GATHER_S: Final = 0.05
"""Answers that come within this time are written in one transaction."""


def work_through(
    *,
    claim: Callable[[int], Sequence[Item]],
    ask: Callable[[Item], LookupOutcome],
    conclude: Callable[[Sequence[tuple[Item, LookupOutcome]]], object],
    concurrency: int,
    go_on: Callable[[], bool],
) -> int:
    """Claim items until there are none, ask about each in a thread, and conclude; return how many were asked about.

    Up to twice `concurrency` items are claimed ahead, so that no thread waits for the database.

    Args:
        claim: takes up to so many items and commits; fewer than asked for means that there are no more.
        ask: called in threads; whatever it raises counts as an unknown outcome.
        conclude: writes outcomes and commits.
        concurrency: calls at once.
        go_on: whether to claim more; what is claimed is finished.
    """
    waiting: dict[Future[LookupOutcome], Item] = {}
    asked = 0
    has_more = True
    pool = ThreadPoolExecutor(concurrency, thread_name_prefix="gateway")
    try:
        while True:
            room = 2 * concurrency - len(waiting)
            has_more = has_more and go_on()
            if has_more and room >= concurrency // 2:
                items = claim(room)
                has_more = len(items) == room
                asked += len(items)
                waiting.update({pool.submit(ask, item): item for item in items})
            if not waiting:
                return asked
            wait(waiting, return_when=FIRST_COMPLETED)
            if any(not future.done() for future in waiting):
                time.sleep(_GATHER_S)
            done = [future for future in waiting if future.done()]
            conclude([(waiting.pop(future), _outcome(future)) for future in done])
    finally:
        # What was claimed and not asked stays intended: it is looked up later, as after a crash.
        pool.shutdown(wait=True, cancel_futures=True)


def _outcome(future: Future[LookupOutcome]) -> LookupOutcome:
    error = future.exception()
    if error is None:
        return future.result()
    _log.error("gateway_call_failed", exc_info=error)
    return Unknown(type(error).__name__)
