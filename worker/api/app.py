"""The ASGI application: its routes, what guards them, and what it starts and stops."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from http import HTTPStatus
from time import perf_counter
from typing import Any, Final

import psycopg
import structlog
from litestar import Litestar
from litestar.config.cors import CORSConfig
from litestar.connection import ASGIConnection
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler
from litestar.types import ASGIApp, Message
from redis.asyncio import Redis
from sqlalchemy.exc import DataError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from worker import tracing
from worker.achievements.reader import AchievementReader
from worker.api import accept, problems, request_ids
from worker.api.accept import AcceptAttempts
from worker.api.achievements import achievements
from worker.api.attempts import accept_attempts, attempt_status
from worker.api.auth import OPEN, Authenticator, authenticated
from worker.api.cards import change_card, preview_answer
from worker.api.documentation import PATH as DOCS
from worker.api.documentation import docs_policy, openapi_config
from worker.api.due_queues import due_queue, due_queue_cards
from worker.api.event_feed import events
from worker.api.headers import with_security
from worker.api.health import Dependencies, health, ready
from worker.api.incoming_events import IncomingEvents, accept_events
from worker.api.jobs import JOB_ROUTES
from worker.api.limits import TIMEOUT_S, RateLimits
from worker.api.metrics import Exposition, RequestFigures, show_metrics
from worker.api.permissions import authorise, declared
from worker.api.platform import PLATFORM_ROUTES
from worker.api.preferences import change_preferences, preferences
from worker.api.problems import ProblemError
from worker.api.reading import create_cache, create_engine, create_search_engine
from worker.api.search import search
from worker.api.sessions import SESSION_ROUTES
from worker.api.study import due_forecast, statistics
from worker.api.subscriptions import SUBSCRIPTION_ROUTES
from worker.api.tryouts import HANDLERS as TRYOUTS
from worker.api.webhooks import Webhooks, receive_notification
from worker.attempts.inbox import Inbox
from worker.events.feed import EventFeed, Notices
from worker.nudges import LaneNudger, publish_scoring
from worker.search.finder import Finder
from worker.security.accounts import Accounts
from worker.security.sessions import Sessions
from worker.settings import Settings, get_settings
from worker.srs.due_queue_reader import DueQueueReader
from worker.tryouts.sittings import Sittings

_NO_ROUTE: Final = "none"
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Others are counted as one: a label whose values clients choose would grow without end."""


class Api(Litestar):
    """Litestar with the attempts' route before its router, and a request id on every answer."""

    acceptor: AcceptAttempts
    authenticator: Authenticator
    docs_policy: bytes
    figures: RequestFigures
    inbox: Inbox

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request, or the start and end of the process."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
        elif tracing.is_on():
            attributes = {"http.request.method": scope["method"], "url.path": scope["path"]}
            with tracing.span("request", attributes, parent=_trace_of(scope["headers"])):
                await self._serving(scope)(scope, receive, send)
        else:
            await self._serving(scope)(scope, receive, send)

    def _serving(self, scope: Any) -> ASGIApp:
        # With CORS, browsers' headers are the router's matter.
        brings_attempts = scope["path"] == accept.PATH and scope["method"] == "POST" and self.cors_config is None
        return self.acceptor if brings_attempts else self._route

    async def _route(self, scope: Any, receive: Any, send: Any) -> None:
        started = perf_counter()
        status = 500  # unless an answer begins
        request_id = request_ids.request_id_of(scope["headers"])
        state = scope.setdefault("state", {})
        state["request_id"] = request_id.decode()

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [*message["headers"], (request_ids.HEADER, request_id), *state.get("limit_headers", ())]
                if scope["path"].startswith(DOCS) and status == HTTPStatus.OK:
                    headers.append((b"content-security-policy", self.docs_policy))
                message["headers"] = with_security(headers, scope["scheme"])
            await send(message)

        try:
            with structlog.contextvars.bound_contextvars(request_id=request_id.decode()):
                await super().__call__(scope, receive, send_with_id)
        finally:
            route = scope.get("path_template") or _NO_ROUTE
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self.figures.tally(method, route, status).add(perf_counter() - started)


def create_app(settings: Settings | None = None) -> Api:
    """Return the application; it connects to nothing before it is used.

    Args:
        settings: those of the process when left out.

    Raises:
        ConfigurationError: no token or no database is set.
    """
    settings = settings or get_settings()
    engine = create_engine(settings)
    cache = create_cache(settings)
    sessions_client = create_cache(settings, TIMEOUT_S)
    sessions = _sessions(settings, sessions_client)
    authenticator = Authenticator(settings, engine, sessions)
    rate_limits = RateLimits(settings)
    nudger = LaneNudger(settings.nudge_interval_ms) if settings.redis_url else None
    scoring = LaneNudger(settings.nudge_interval_ms, publish_scoring) if settings.redis_url else None
    inbox = Inbox(
        settings.required_database_url(),
        group_max=settings.commit_max_attempts,
        nudge=nudger.mark if nudger else _nobody,
    )
    figures = RequestFigures(inbox)
    acceptor = AcceptAttempts(inbox, authenticator, rate_limits, settings, figures)
    search_engine = create_search_engine(settings)
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
            async with figures.flushing(), authenticator.recording():
                yield
        finally:
            await inbox.stop()
            for each in (nudger, scoring):
                if each:
                    each.stop()
            await notices.stop()
            await engine.dispose()
            await search_engine.dispose()
            await rate_limits.close()
            for client in (cache, sessions_client):
                if client:
                    await client.aclose()

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        """Let pass who may."""
        if handler.opt.get(OPEN):
            return
        authorization = connection.headers.get("authorization")
        principal = await authenticated(
            authenticator,
            rate_limits,
            None if authorization is None else authorization.encode("latin-1"),
            connection.client.host if connection.client else "",
        )
        state = connection.scope["state"]
        state["principal"] = principal
        state["limit_headers"] = await rate_limits.count(principal)
        authorise(connection, handler, principal)

    routes = declared(
        [
            accept_attempts,
            attempt_status,
            accept_events,
            events,
            achievements,
            due_queue,
            due_queue_cards,
            due_forecast,
            statistics,
            preview_answer,
            change_card,
            preferences,
            change_preferences,
            search,
            *TRYOUTS,
            receive_notification,
            *SUBSCRIPTION_ROUTES,
            health,
            ready,
            show_metrics,
            *JOB_ROUTES,
            *PLATFORM_ROUTES,
            *SESSION_ROUTES,
        ]
    )
    app = Api(
        route_handlers=routes,
        guards=[guard],
        dependencies={
            "achievement_reader": _provided(AchievementReader(engine)),
            "acceptor": _provided(acceptor),
            "engine": _provided(engine),
            "incoming_events": _provided(IncomingEvents(engine, settings.events_max_batch)),
            "feed": _provided(EventFeed(engine, notices)),
            "reader": _provided(DueQueueReader(engine, cache)),
            "dependencies": _provided(Dependencies(engine, cache)),
            "exposition": _provided(Exposition(settings, figures)),
            "finder": _provided(Finder(search_engine)),
            "sittings": _provided(sittings),
            "webhooks": _provided(Webhooks(engine, settings)),
            "accounts": _provided(Accounts(engine, settings.password_cost)),
            "sessions": _provided(sessions),
            "rate_limits": _provided(rate_limits),
            "authenticator": _provided(authenticator),
        },
        exception_handlers={
            ProblemError: problems.handle_problem,
            HTTPException: problems.handle_http_exception,
            OperationalError: problems.handle_database_away,
            InterfaceError: problems.handle_database_away,
            PoolTimeoutError: problems.handle_database_away,
            OSError: problems.handle_database_away,
            UnicodeDecodeError: problems.handle_not_json,
            RecursionError: problems.handle_not_json,
            DataError: problems.handle_unfit_value,
            psycopg.DataError: problems.handle_unfit_value,
            Exception: problems.handle_unexpected,
        },
        lifespan=[running],
        openapi_config=openapi_config(),
        cors_config=_cors(settings),
        request_max_body_size=settings.attempts_max_body_bytes,
        logging_config=None,
    )
    app.acceptor = acceptor
    app.authenticator = authenticator
    app.docs_policy = docs_policy().encode()
    app.figures = figures
    app.inbox = inbox
    return app


def _sessions(settings: Settings, cache: Redis | None) -> Sessions | None:
    if cache is None:
        return None
    idle, absolute = timedelta(hours=settings.session_idle_hours), timedelta(hours=settings.session_hours)
    return Sessions(cache, idle=idle, absolute=absolute)


def _cors(settings: Settings) -> CORSConfig | None:
    """Return which web pages browsers let call the API; None, as it is unless the settings say otherwise: none."""
    origins = [origin.strip() for origin in (settings.cors_origins or "").split(",") if origin.strip()]
    if not origins:
        return None
    return CORSConfig(allow_origins=origins, allow_headers=["Authorization", "Content-Type"], max_age=600)


def _trace_of(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Return the client's own trace context, if it sent one."""
    return next((value.decode("latin-1") for name, value in headers if name == tracing.HEADER.encode()), None)


def _nobody(lanes: int) -> None:
    """Nudge nobody: without Redis the pulse of the workers finds what waits."""


def _provided(value: object) -> Provide:
    def provide() -> Any:
        return value

    return Provide(provide, sync_to_thread=False)
