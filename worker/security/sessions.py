"""Learners' sessions: in Redis alone, found by the digest of their token.

A session ends when it was not used for the idle time, at its absolute end, when it is revoked, or with Redis' memory:
then everybody logs in again, and nothing else is lost.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID

import msgspec
import redis.asyncio

from worker.models.users import Role
from worker.security.tokens import digest, draw

_SESSION: Final = "elp:session:"
_OF_USER: Final = "elp:sessions:"
DUE_QUEUES: Final = "elp:due:"
"""Where the queues of learners are cached."""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A session as it is kept."""

    id: str
    """For people and for revoking; useless as a token."""
    user_id: UUID
    role: Role
    created_at: datetime
    expires_at: datetime
    """Its absolute end."""
    agent: str
    """What the client called itself, cut."""


class NewSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session just begun, with its token: shown once."""

    token: str
    session: Session


class Sessions:
    """Sessions in one Redis."""

    def __init__(self, client: redis.asyncio.Redis, *, idle: timedelta, absolute: timedelta) -> None:
        """Keep them in `client`, each for `idle` after its last use and at most for `absolute`."""
        self._client = client
        self._idle_s = max(1, round(idle.total_seconds()))
        self._absolute = absolute

    async def begin(self, user_id: UUID, role: Role, now: datetime, agent: str = "") -> NewSession:
        """Begin a session.

        Raises:
            RedisError, OSError: Redis is away.
        """
        token = draw("els")
        name = token.digest.hex()
        session = Session(
            id=name[:16],
            user_id=user_id,
            role=role,
            created_at=now,
            expires_at=now + self._absolute,
            agent=agent[:200],
        )
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.set(_SESSION + name, msgspec.json.encode(session), ex=self._idle_s)
            pipe.hset(_OF_USER + str(user_id), session.id, name)
            pipe.expire(_OF_USER + str(user_id), round(self._absolute.total_seconds()))
            await pipe.execute()
        return NewSession(token=token.text, session=session)

    async def use(self, token: str, now: datetime) -> Session | None:
        """Return a token's session and put its idle end off; None: there is none any more.

        Raises:
            RedisError, OSError: Redis is away.
        """
        kept = await self._client.getex(_SESSION + digest(token).hex(), ex=self._idle_s)
        if kept is None:
            return None
        session = msgspec.json.decode(kept, type=Session)
        return session if now < session.expires_at else None

    async def list(self, user_id: UUID, now: datetime) -> Sequence[Session]:
        """Return an account's sessions, the newest first, and forget those that ended.

        Raises:
            RedisError, OSError: Redis is away.
        """
        names = await self._names(user_id)
        if not names:
            return []
        kept = await self._client.mget([_SESSION + name for name in names.values()])
        alive = [msgspec.json.decode(each, type=Session) for each in kept if each is not None]
        alive = [session for session in alive if now < session.expires_at]
        gone = set(names) - {session.id for session in alive}
        if gone:
            await cast("Any", self._client.hdel(_OF_USER + str(user_id), *gone))
        return sorted(alive, key=lambda session: (session.created_at, session.id), reverse=True)

    async def revoke(self, user_id: UUID, session_id: str | None = None) -> int:
        """End one of an account's sessions, or all; return how many that were.

        Raises:
            RedisError, OSError: Redis is away.
        """
        names = await self._names(user_id)
        chosen = [name for each, name in names.items() if session_id in (None, each)]
        if not chosen:
            return 0
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.delete(*(_SESSION + name for name in chosen))
            pipe.hdel(_OF_USER + str(user_id), *(name[:16] for name in chosen))
            ended, _ = await pipe.execute()
        return int(ended)

    async def _names(self, user_id: UUID) -> dict[str, str]:
        kept: dict[bytes, bytes] = await cast("Any", self._client.hgetall(_OF_USER + str(user_id)))
        return {field.decode(): name.decode() for field, name in kept.items()}


async def forget_person(client: redis.asyncio.Redis, user_id: UUID) -> None:
    """End an account's sessions, and remove the queues cached for it.

    Raises:
        RedisError, OSError: Redis is away.
    """
    moment = timedelta(seconds=1)
    await Sessions(client, idle=moment, absolute=moment).revoke(user_id)
    keys = [key async for key in client.scan_iter(f"{DUE_QUEUES}{user_id}:*")]
    if keys:
        await client.delete(*keys)
