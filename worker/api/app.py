"""The ASGI application: its routes, what guards them, and what it starts and stops."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import structlog
from litestar import Litestar
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.types import Message
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from worker.api import accept, problems, request_ids
from worker.api.accept import AcceptAttempts
from worker.api.attempts import accept_attempts, attempt_status
from worker.api.auth import TokenGuard
from worker.api.documentation import openapi_config
from worker.api.due_queues import due_queue
from worker.api.event_feed import events
from worker.api.health import Dependencies, health, ready
from worker.api.problems import ProblemError
from worker.api.reading import create_cache, create_engine
from worker.api.tryouts import HANDLERS as TRYOUTS
from worker.attempts.inbox import Inbox
from worker.events.feed import EventFeed, Notices
from worker.nudges import LaneNudger, publish_scoring
from worker.settings import Settings, get_settings
from worker.srs.due_queue_reader import DueQueueReader
from worker.tryouts.sittings import Sittings


class Api(Litestar):
    """Litestar with the attempts' route before its router, and a request id on every answer."""

    acceptor: AcceptAttempts
    inbox: Inbox

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request, or the start and end of the process."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        if scope["path"] == accept.PATH and scope["method"] == "POST":
            await self.acceptor(scope, receive, send)
            return
        request_id = request_ids.request_id_of(scope["headers"])
        scope.setdefault("state", {})["request_id"] = request_id.decode()

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (request_ids.HEADER, request_id)]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id.decode()):
            await super().__call__(scope, receive, send_with_id)


def create_app(settings: Settings | None = None) -> Api:
    """Return the application; it connects to nothing before it is used.

    Args:
        settings: those of the process when left out.

    Raises:
        ConfigurationError: no token or no database is set.
    """
    settings = settings or get_settings()
    guard = TokenGuard(settings)
    nudger = LaneNudger(settings.nudge_interval_ms) if settings.redis_url else None
    scoring = LaneNudger(settings.nudge_interval_ms, publish_scoring) if settings.redis_url else None
    inbox = Inbox(
        settings.required_database_url(),
        group_max=settings.commit_max_attempts,
        nudge=nudger.mark if nudger else _nobody,
    )
    acceptor = AcceptAttempts(inbox, guard, settings)
    engine = create_engine(settings)
    cache = create_cache(settings)
    sittings = Sittings(
        engine,
        timedelta(seconds=settings.tryout_grace_seconds),
        nudge=(lambda: scoring.mark(1)) if scoring else lambda: None,
    )
    notices = Notices(settings.required_database_url())

    @asynccontextmanager
    async def running(_: Litestar) -> AsyncIterator[None]:
        inbox.start()
        for each in (nudger, scoring):
            if each:
                each.start()
        try:
            yield
        finally:
            await inbox.stop()
            for each in (nudger, scoring):
                if each:
                    each.stop()
            await notices.stop()
            await engine.dispose()
            if cache:
                await cache.aclose()

    app = Api(
        route_handlers=[accept_attempts, attempt_status, due_queue, events, health, ready, *TRYOUTS],
        guards=[guard.guard],
        dependencies={
            "acceptor": _provided(acceptor),
            "engine": _provided(engine),
            "feed": _provided(EventFeed(engine, notices)),
            "reader": _provided(DueQueueReader(engine, cache)),
            "dependencies": _provided(Dependencies(engine, cache)),
            "sittings": _provided(sittings),
        },
        exception_handlers={
            ProblemError: problems.handle_problem,
            HTTPException: problems.handle_http_exception,
            OperationalError: problems.handle_database_away,
            InterfaceError: problems.handle_database_away,
            PoolTimeoutError: problems.handle_database_away,
            OSError: problems.handle_database_away,
            Exception: problems.handle_unexpected,
        },
        lifespan=[running],
        openapi_config=openapi_config(),
        logging_config=None,
    )
    app.acceptor = acceptor
    app.inbox = inbox
    return app


def _nobody(lanes: int) -> None:
    """Nudge nobody: without Redis the pulse of the workers finds what waits."""


def _provided(value: object) -> Provide:
    def provide() -> Any:
        return value

    return Provide(provide, sync_to_thread=False)
