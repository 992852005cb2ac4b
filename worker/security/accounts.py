"""Logging in and changing a password, without the right to read a password hash."""

import asyncio
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from worker.models.users import Role
from worker.security.passwords import compute, is_outdated, make_hash

HASHING_MAX: Final = 2
"""Hashes computed at once by one process: each takes a core for a third of a second, and others have work, too."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who logged in."""

    user_id: UUID
    role: Role


class Accounts:
    """Accounts as logging in knows them."""

    def __init__(self, engine: AsyncEngine, cost: int) -> None:
        """Take the database and bcrypt's cost for new hashes."""
        self._engine = engine
        self._cost = cost
        self._hashing = asyncio.Semaphore(HASHING_MAX)

    async def check(self, email: str, password: str) -> Account | None:
        """Return the active account with this e-mail address and password; None: there is none.

        The work is the same in each case. A hash of another cost is renewed.

        Raises:
            UnfitPasswordError: no account can have such a password.
        """
        async with self._engine.connect() as connection:
            salt = await connection.scalar(text("SELECT login_salt(CAST(:email AS text))"), {"email": email})
        async with self._hashing:
            computed = await asyncio.to_thread(compute, password, salt, self._cost)
        async with self._engine.connect() as connection:  # asked whatever was found, so that it takes as long
            values = {"email": email, "computed": computed or ""}
            statement = text("SELECT user_id, role FROM login_check(CAST(:email AS text), CAST(:computed AS text))")
            row = (await connection.execute(statement, values)).one_or_none()
        if row is None or computed is None:
            return None
        if is_outdated(computed, self._cost):
            await self._replace(row.user_id, computed, password)
        return Account(row.user_id, row.role)

    async def change_password(self, user_id: UUID, present: str, replacement: str) -> bool:
        """Give an account another password; False: the present one is another, or there is no such active account.

        Raises:
            UnfitPasswordError: the new one can't be taken, or the present one can't be one.
        """
        async with self._engine.connect() as connection:
            statement = text("SELECT login_salt(email) FROM users WHERE id = :id")
            salt = await connection.scalar(statement, {"id": user_id})
        async with self._hashing:
            computed = await asyncio.to_thread(compute, present, salt, self._cost)
        return await self._replace(user_id, computed or "", replacement)

    async def _replace(self, user_id: UUID, present_hash: str, password: str) -> bool:
        async with self._hashing:
            replacement = await asyncio.to_thread(make_hash, password, self._cost)
        async with self._engine.begin() as connection:
            statement = text(
                "SELECT login_rehash(CAST(:id AS uuid), CAST(:present AS text), CAST(:replacement AS text))"
            )
            values = {"id": user_id, "present": present_hash, "replacement": replacement}
            return bool(await connection.scalar(statement, values))
