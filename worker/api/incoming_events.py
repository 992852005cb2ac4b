"""`POST /v1/events`: what the app asks the worker to do, into the same outbox as everything else."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Example, OpenAPIMediaType, Operation, RequestBody
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from worker import clock
from worker.api import problems
from worker.api.accept import check_media_type
from worker.api.answers import why_not_storable
from worker.api.documentation import described, problem_responses, response
from worker.api.problems import ProblemError
from worker.db.queries import load_query
from worker.db.statements import as_text
from worker.ids import uuid7
from worker.jobs.outbox import PACKAGE, Entry, enqueue_values, new_ids
from worker.models.jobs import PAYLOAD_MAX_BYTES

PATH: Final = "/v1/events"
_MAX_BODY_BYTES: Final = 4 * 1024 * 1024
_TRIES: Final = 2
_FIELD: Final = re.compile(r"`\$\.(\w+)")
_PROBLEMS: Final = as_text(load_query(PACKAGE, "event_problems"))
_ENQUEUE: Final = as_text(load_query(PACKAGE, "enqueue"))
_EXAMPLE: Final = {
    "id": "019aaf0c-1b2c-7d3e-8f4a-5b6c7d8e9f0a",
    "task": "jobs.start",
    "payload": {"job": "srs.build_due_queues"},
    "dedupe_key": "due-queues",
    "not_before": "2026-11-24T20:00:00+07:00",
}


class NewEvent(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A task that the app wants to have run."""

    task: Annotated[str, msgspec.Meta(min_length=1, max_length=200), described("a task that is open to the app")]
    payload: Annotated[msgspec.Raw, described("the task's parameters by name, at most 16 KiB: ids, not data")] = (
        msgspec.Raw(b"{}")
    )
    dedupe_key: (
        Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"\S"), described("at most one such waits")]
        | None
    ) = None
    not_before: Annotated[datetime, msgspec.Meta(tz=True), described("when it may run at the earliest")] | None = None
    id: Annotated[UUID, described("the client's own: sent again, the event counts once")] | None = None


class EventError(msgspec.Struct, frozen=True):
    """What is wrong with one event."""

    index: int
    field: str
    message: str


class AcceptedEvent(msgspec.Struct, frozen=True):
    """An event that is committed now."""

    index: int
    id: UUID


class AcceptedEvents(msgspec.Struct):
    """Which events are committed, by their place in the request, and what is wrong with the others."""

    accepted: Sequence[AcceptedEvent]
    duplicates: Annotated[
        Sequence[int], described("places of those whose id is known, or whose dedupe_key waits already")
    ]
    errors: Sequence[EventError]


class IncomingEvents:
    """Takes events in."""

    def __init__(self, engine: AsyncEngine, max_events: int) -> None:
        self._engine = engine
        self._max_events = max_events

    async def store(self, body: bytes, now: datetime) -> AcceptedEvents:
        """Write a request's events into the outbox and commit.

        Raises:
            ProblemError: why nothing was written.
        """
        entries, errors = self._read(body, now)
        written: set[UUID] = set()
        for attempt in range(_TRIES):
            try:
                async with self._engine.begin() as connection:
                    refused = await _refused(connection, entries)
                    good = [entry for index, entry in entries.items() if index not in refused]
                    if good:
                        rows = await connection.execute(_ENQUEUE, enqueue_values(good, now))
                        written = {row[0] for row in rows}
                break
            except IntegrityError:
                # Two requests with the same new id at once: the second finds it now.
                if attempt == _TRIES - 1:
                    raise problems.unavailable("the same events are being sent by another request: try again") from None
        errors = sorted([*errors, *refused.values()], key=lambda error: error.index)
        places = [index for index in entries if index not in refused]
        if not places:
            raise _nothing_acceptable(errors)
        ids = dict(zip(places, new_ids([entries[index] for index in places], written), strict=True))
        return AcceptedEvents(
            [AcceptedEvent(index, one) for index, one in ids.items() if one],
            [index for index, one in ids.items() if one is None],
            errors,
        )

    def _read(self, body: bytes, now: datetime) -> tuple[dict[int, Entry], list[EventError]]:
        """Return the events that can be read, by their places, and what is wrong with the others."""
        try:
            items = msgspec.json.decode(body, type=list[msgspec.Raw] if body.lstrip()[:1] == b"[" else msgspec.Raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ProblemError(problems.NOT_JSON, f"send one event or a list of them as JSON: {error}") from None
        items = items if isinstance(items, list) else [items]
        if len(items) > self._max_events:
            detail = f"{len(items):,} events in one request: send at most {self._max_events:,} at a time"
            raise ProblemError(problems.TOO_LARGE, detail)
        entries: dict[int, Entry] = {}
        errors = []
        for index, item in enumerate(items):
            read = _read_event(item, now)
            if isinstance(read, Entry):
                entries[index] = read
            else:
                errors.append(EventError(index, *read))
        if not entries:
            raise _nothing_acceptable(errors)
        return entries, errors


def _read_event(item: msgspec.Raw, now: datetime) -> Entry | tuple[str, str]:
    """Return an event as an entry of the outbox, or the field that is wrong and how."""
    try:
        event = msgspec.json.decode(item, type=NewEvent)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        found = _FIELD.search(str(error))
        return (found[1] if found else "", str(error))
    payload = bytes(event.payload).strip()
    if not payload.startswith(b"{"):
        return ("payload", 'must be an object with the task\'s parameters by name, such as {"user_id": "…"}')
    if fault := why_not_storable(payload, PAYLOAD_MAX_BYTES):
        return ("payload", fault)
    for field, text in (("task", event.task), ("dedupe_key", event.dedupe_key)):
        if text is not None and "\0" in text:
            return (field, r"contains the character \u0000, which can't be stored: remove it")
    return Entry(
        task=event.task,
        payload=msgspec.Raw(payload),
        dedupe_key=event.dedupe_key,
        not_before=event.not_before,
        id=event.id or uuid7(now),
    )


async def _refused(connection: Any, entries: dict[int, Entry]) -> dict[int, EventError]:
    """Return what the database's own rules say against the entries, by their places."""
    values = {
        "tasks": [entry.task for entry in entries.values()],
        "payloads": [msgspec.json.encode(entry.payload).decode() for entry in entries.values()],
    }
    places = list(entries)
    refused = {}
    for position, field, problem, hint in await connection.execute(_PROBLEMS, values):
        index = places[position - 1]
        refused[index] = EventError(index, field, f"{problem}; {hint}")
    return refused


def _nothing_acceptable(errors: Sequence[EventError]) -> ProblemError:
    fields = list(dict.fromkeys(error.field for error in errors if error.field))
    detail = f"not acceptable: {', '.join(fields[:20])} (see errors)" if fields else "see errors"
    if not errors:
        detail = "the list is empty: send at least one event"
    return ProblemError(problems.NO_ACCEPTABLE_EVENT, detail, errors=errors)


@dataclass
class _AcceptOperation(Operation):
    """Describes the body, which the route reads for itself."""

    def __post_init__(self) -> None:
        event = {
            "type": "object",
            "required": ["task"],
            "additionalProperties": False,
            "properties": {
                "task": {"type": "string", "minLength": 1, "maxLength": 200},
                "payload": {"type": "object", "description": "the task's parameters by name, at most 16 KiB"},
                "dedupe_key": {"type": ["string", "null"], "minLength": 1, "maxLength": 200},
                "not_before": {"type": ["string", "null"], "format": "date-time"},
                "id": {"type": ["string", "null"], "format": "uuid"},
            },
        }
        media_type = OpenAPIMediaType(
            schema={"oneOf": [event, {"type": "array", "items": event, "minItems": 1}]},  # type: ignore[arg-type]
            examples={"one": Example(summary="One event", value=_EXAMPLE)},
        )
        self.request_body = RequestBody(content={"application/json": media_type}, required=True)


@post(
    PATH,
    status_code=202,
    operation_class=_AcceptOperation,
    permission="events.send",
    operation_id="acceptEvents",
    tags=["events"],
    summary="Have tasks run",
    description=(
        "Takes one event or a list of them. The answer comes after COMMIT: what it calls accepted will run, whatever "
        "crashes. An event sent again under its id counts once. Items with errors don't stop the others."
    ),
    responses={
        202: response(
            AcceptedEvents,
            "Committed, known already, or wrong, item by item",
            example={"accepted": [{"index": 0, "id": _EXAMPLE["id"]}], "duplicates": [], "errors": []},
        ),
        **problem_responses(400, 401, 413, 415, 422, 503),
    },
    request_max_body_size=_MAX_BODY_BYTES,
)
async def accept_events(
    request: Request[Any, Any, Any], incoming_events: NamedDependency[IncomingEvents]
) -> Response[AcceptedEvents]:
    """Write events into the outbox.

    Raises:
        ProblemError: why nothing was written.
    """
    headers = request.headers
    check_media_type(
        headers.get("content-type", "").encode("latin-1"), headers.get("content-encoding", "").encode("latin-1")
    )
    return Response(await incoming_events.store(await request.body(), clock.now()), status_code=202)
