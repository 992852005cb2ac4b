"""The demonstration's traffic: planned attempts turned into HTTP requests, sent, and what the API answered.

Part of the attempts goes singly (a phone online), part in batches (a phone that was offline, a classroom gateway); some
requests are sent twice (a client that saw no answer), and a few attempts are malformed in ways that real clients
produce. What must come of each is known beforehand, so the summary can be checked.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

import httpx
import msgspec

from worker.ids import uuid7

BATCH_SIZE = 100
_SINGLE_SHARE = 0.2
_RESENT_SHARE = 0.03
_CONCURRENT_REQUESTS = 32


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests in the order of sending, and what is expected of the attempts in them."""

    requests: tuple[bytes, ...]
    expected_graded: frozenset[UUID]
    """Well-formed attempts: accepted and graded, once each."""
    expected_rejected: frozenset[UUID]
    """Accepted by the API, which does not know the content, and rejected by the pipeline with a reason."""
    expected_refused: int
    """Malformed items: named in `errors` of the answer, never accepted."""
    resent: int
    """Attempts that are sent a second time."""


@dataclass(slots=True)
class Answers:
    """What the API answered, summed over all requests."""

    accepted: list[UUID] = field(default_factory=list)
    duplicates: list[UUID] = field(default_factory=list)
    refused: int = 0
    unexpected: list[str] = field(default_factory=list)


def make_traffic(attempts: Sequence[dict[str, Any]], generator: Random) -> Traffic:
    """Return requests for `attempts` (in order of time), with duplicates, poison and malformed items mixed in."""
    poison = [_poison(attempt, generator) for attempt in generator.sample(attempts, max(4, len(attempts) // 500))]
    malformed = [_malform(attempt, generator) for attempt in generator.sample(attempts, max(4, len(attempts) // 500))]
    stream = [*attempts]
    for item in [*poison, *malformed]:
        stream.insert(generator.randrange(len(stream) + 1), item)

    requests: list[bytes] = []
    resent_attempts = 0
    position = 0
    while position < len(stream):
        # A request is single so often that `_SINGLE_SHARE` of the attempts, not of the requests, goes singly.
        is_single = generator.random() < _SINGLE_SHARE / (_SINGLE_SHARE + (1 - _SINGLE_SHARE) / BATCH_SIZE)
        items = stream[position : position + (1 if is_single else BATCH_SIZE)]
        position += len(items)
        body = msgspec.json.encode(items[0] if is_single else items)
        requests.append(body)
        if generator.random() < _RESENT_SHARE:
            requests.append(body)
            resent_attempts += sum(item not in malformed for item in items)
    return Traffic(
        requests=tuple(requests),
        expected_graded=frozenset(UUID(attempt["id"]) for attempt in attempts),
        expected_rejected=frozenset(UUID(attempt["id"]) for attempt in poison),
        expected_refused=_count_sent(malformed, requests),
        resent=resent_attempts,
    )


def _count_sent(malformed: Sequence[dict[str, Any]], requests: Sequence[bytes]) -> int:
    encoded = [msgspec.json.encode(item) for item in malformed]
    return sum(request.count(item) for request in requests for item in encoded)


def _poison(attempt: dict[str, Any], generator: Random) -> dict[str, Any]:
    """Return a new attempt that no pipeline can grade: a question nobody knows, or an answer of another shape."""
    fresh = attempt | {"id": str(uuid7())}
    return fresh | generator.choice([{"question_id": str(uuid7())}, {"answer": {"colour": "blue"}}])


def _malform(attempt: dict[str, Any], generator: Random) -> dict[str, Any]:
    """Return a new attempt with a mistake that the API must name: a time without offset, a negative time, no user."""
    fresh = attempt | {"id": str(uuid7())}
    mistake = generator.randrange(3)
    if mistake == 0:
        return fresh | {"attempted_at": "2026-01-31T19:00:00"}
    if mistake == 1:
        return fresh | {"time_spent_ms": -1}
    return {key: value for key, value in fresh.items() if key != "user_id"}


async def send(traffic: Traffic, *, url: str, token: str, sent: Callable[[int], None]) -> Answers:
    """Send every request, a limited number at a time, and return the answers' sum.

    Args:
        traffic: what to send.
        url: the API's address, without a path.
        token: its bearer token.
        sent: called with the number of attempts that the API has just settled (accepted, duplicate or refused).
    """
    answers = Answers()
    queue: asyncio.Queue[bytes] = asyncio.Queue()
    for request in traffic.requests:
        queue.put_nowait(request)
    async with asyncio.TaskGroup() as group:
        for _ in range(_CONCURRENT_REQUESTS):
            group.create_task(_send_all(url, token, queue, answers, sent))
    return answers


async def _send_all(
    url: str, token: str, queue: asyncio.Queue[bytes], answers: Answers, sent: Callable[[int], None]
) -> None:
    """Send what the queue holds over one connection; a pool shared by all senders costs more than the requests."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30, trust_env=False) as client:
        while not queue.empty():
            body = queue.get_nowait()
            response = await client.post("/v1/attempts", content=body)
            while response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
                await asyncio.sleep(float(response.headers.get("Retry-After", "1")))
                response = await client.post("/v1/attempts", content=body)
            sent(_note(response, answers))


def _note(response: httpx.Response, answers: Answers) -> int:
    """Add one response to the sum and return how many attempts it settled."""
    if response.status_code not in {httpx.codes.ACCEPTED, httpx.codes.UNPROCESSABLE_ENTITY}:
        answers.unexpected.append(f"{response.status_code} {response.text[:200]}")
        return 0
    document = response.json()
    accepted = [UUID(attempt_id) for attempt_id in document.get("accepted", [])]
    duplicates = [UUID(attempt_id) for attempt_id in document.get("duplicates", [])]
    refused = len({error["index"] for error in document.get("errors", [])})
    answers.accepted += accepted
    answers.duplicates += duplicates
    answers.refused += refused
    return len(accepted) + len(duplicates) + refused
