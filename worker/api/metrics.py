"""The API's figures: requests counted as they go by, and `/metrics` for Prometheus."""

import asyncio
from bisect import bisect_left
from collections.abc import AsyncIterator, MutableSequence
from contextlib import asynccontextmanager, suppress
from typing import Final

from litestar import MediaType, Response, get
from litestar.di import NamedDependency
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from worker.api.documentation import ReadOperation, problem_responses
from worker.attempts.inbox import Inbox
from worker.metrics import metrics
from worker.metrics.instruments import REQUEST_BUCKETS_S, group_registry
from worker.metrics.platform import PlatformCollector
from worker.settings import Settings

PATH: Final = "/metrics"
_BUCKETS: Final = len(REQUEST_BUCKETS_S) + 1
_FLUSH_S: Final = 1.0


class Tally:
    """Requests of one route, method and status since the last flush: plain numbers on the event loop's one thread.

    An observation costs 0.5 µs here and 3 µs in the library's shared files, where a whole request takes 60.
    """

    __slots__ = ("counts", "seconds")

    def __init__(self) -> None:
        self.counts: MutableSequence[int] = [0] * _BUCKETS
        self.seconds = 0.0

    def add(self, seconds: float) -> None:
        """Count a request."""
        self.counts[bisect_left(REQUEST_BUCKETS_S, seconds)] += 1
        self.seconds += seconds


class RequestFigures:
    """This process's requests, handed to the shared figures each second and before each scrape."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._tallies: dict[tuple[str, str, int], Tally] = {}
        self._stored = self._groups = 0

    def tally(self, method: str, route: str, status: int) -> Tally:
        """Return where requests of a kind are counted."""
        key = (method, route, status)
        tally = self._tallies.get(key)
        if tally is None:
            tally = self._tallies[key] = Tally()
        return tally

    def flush(self) -> None:
        """Hand over what was counted since the last time."""
        counters = metrics()
        for (method, route, status), tally in self._tallies.items():
            if any(tally.counts):
                counters.request_seconds.labels(method, route, str(status)).add(tally.counts, tally.seconds)
                tally.counts, tally.seconds = [0] * _BUCKETS, 0.0
        stored, groups = self._inbox.stored, self._inbox.groups
        counters.attempts_accepted.inc(stored - self._stored)
        counters.commit_groups.inc(groups - self._groups)
        self._stored, self._groups = stored, groups

    @asynccontextmanager
    async def flushing(self) -> AsyncIterator[None]:
        """Flush each second while the block runs, and once at its end."""

        async def flush_for_ever() -> None:
            while True:
                await asyncio.sleep(_FLUSH_S)
                self.flush()

        flusher = asyncio.create_task(flush_for_ever(), name="request figures")
        try:
            yield
        finally:
            flusher.cancel()
            with suppress(asyncio.CancelledError):
                await flusher
            self.flush()


class Exposition:
    """What `/metrics` answers: the figures of all API processes of this group, and those of the platform."""

    def __init__(self, settings: Settings, figures: RequestFigures) -> None:
        self._figures = figures
        self._platform = PlatformCollector(settings)

    async def text(self) -> bytes:
        """Return the figures in Prometheus' text format; asking the servers doesn't hold up other requests."""
        self._figures.flush()
        return await asyncio.to_thread(self._generate)

    def _generate(self) -> bytes:
        platform = CollectorRegistry()
        platform.register(self._platform)
        return generate_latest(group_registry()) + generate_latest(platform)


@get(
    PATH,
    permission="metrics.read",
    operation_id="getMetrics",
    tags=["operations"],
    summary="Figures for Prometheus",
    description=(
        "What the API's processes counted, and what PostgreSQL and Redis know of jobs, inbox, outbox, queues: at "
        "most 5 s old. A server that is away shows as `elp_database_up 0` or `elp_redis_up 0`. Workers serve their own."
    ),
    operation_class=ReadOperation,
    responses=problem_responses(401, 503),
    media_type=MediaType.TEXT,
)
async def show_metrics(exposition: NamedDependency[Exposition]) -> Response[bytes]:
    """Answer a scrape."""
    return Response(await exposition.text(), media_type=CONTENT_TYPE_PLAIN_0_0_4)
