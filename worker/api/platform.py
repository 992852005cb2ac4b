"""Operators' routes about the outbox and the whole platform: what `elp jobs outbox` and `elp doctor` do, over HTTP."""

from collections.abc import Sequence
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody, QueryParameter

import tasks
from worker import clock
from worker.api.documentation import ReadOperation, described, problem_responses
from worker.api.operators import TAGS, Limit, asking
from worker.api.permissions import principal_of
from worker.audit import AuditEntry, record
from worker.db import Connection
from worker.doctor import Finding, examine, gather
from worker.doctor.rules import exit_code
from worker.jobs.outbox_control import OutboxEntry, discard_parked, list_outbox, retry_parked
from worker.jobs.registry import load_jobs
from worker.settings import get_settings


class OutboxChoice(msgspec.Struct, forbid_unknown_fields=True):
    """Which parked entries are meant."""

    ids: Annotated[list[UUID] | None, described("their ids; null means all that are parked")]


class Doctor(msgspec.Struct):
    """How the platform is, and what each check found."""

    status: str
    findings: Sequence[Finding]


@get(
    "/v1/outbox",
    permission="platform.read",
    operation_id="listOutbox",
    tags=TAGS,
    summary="Entries of the outbox that are not done, parked ones first",
    operation_class=ReadOperation,
    responses=problem_responses(401, 422, 503),
    sync_to_thread=True,
)
def outbox(
    parked: Annotated[bool, QueryParameter(description="Only what was given up")] = False,  # noqa: FBT002
    limit: Limit = 50,
) -> list[OutboxEntry]:
    """Return entries."""
    with asking() as connection:
        return list_outbox(connection, clock.now(), limit=limit, parked_only=parked)


@post(
    "/v1/outbox/retry",
    status_code=200,
    permission="platform.manage",
    operation_id="retryOutbox",
    tags=TAGS,
    summary="Have parked entries sent again",
    operation_class=ReadOperation,
    responses=problem_responses(401, 409, 422, 503),
    sync_to_thread=True,
)
def retry_outbox(request: Request[Any, Any, Any], data: JSONBody[OutboxChoice]) -> list[UUID]:
    """Return the ids of the entries that will be sent again."""
    with asking() as connection:
        ids = retry_parked(connection, data.ids, clock.now())
        _note(connection, request, "outbox.retried", ids)
        return ids


@post(
    "/v1/outbox/discard",
    status_code=200,
    permission="platform.manage",
    operation_id="discardOutbox",
    tags=TAGS,
    summary="Delete parked entries",
    operation_class=ReadOperation,
    responses=problem_responses(401, 409, 422, 503),
    sync_to_thread=True,
)
def discard_outbox(request: Request[Any, Any, Any], data: JSONBody[OutboxChoice]) -> list[UUID]:
    """Return the ids of the entries that are gone."""
    with asking() as connection:
        ids = discard_parked(connection, data.ids)
        _note(connection, request, "outbox.discarded", ids)
        return ids


@get(
    "/v1/doctor",
    permission="platform.read",
    operation_id="getDoctor",
    tags=TAGS,
    summary="What `elp doctor` finds, as seen from the API's machine",
    operation_class=ReadOperation,
    responses=problem_responses(401, 503),
    sync_to_thread=True,
)
def doctor() -> Doctor:
    """Examine the platform; a database that is away is a finding, too."""
    from worker.app import task_names  # noqa: PLC0415 - Celery is slow to import

    settings = get_settings()
    jobs = load_jobs(tasks.MODULES)
    findings = examine(gather(settings.database_url, settings.redis_url, jobs, sorted(task_names), settings.data_dir))
    return Doctor(("ok", "warning", "critical")[exit_code(findings)], findings)


def _note(connection: Connection, request: Request[Any, Any, Any], action: str, ids: Sequence[UUID]) -> None:
    """Record what an operator does, in the transaction that does it."""
    actor, now = principal_of(request).actor, clock.now()
    record(connection, [AuditEntry(actor, action, "outbox_entry", str(entry), {}, {}) for entry in ids], now)


PLATFORM_ROUTES: Final[list[HTTPRouteHandler]] = [outbox, retry_outbox, discard_outbox, doctor]
