"""API tokens in the database: made, listed, rotated, revoked, each change with its entry in the audit log."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from worker.audit import AuditEntry, record
from worker.db import Connection
from worker.db.queries import load_query
from worker.errors import ElpError
from worker.security.permissions import PERMISSIONS
from worker.security.tokens import NewToken, draw

PACKAGE: Final = "worker.security"


class UnknownTokenError(ElpError):
    """There is no API token of this id that still works."""

    def __init__(self, token_id: UUID) -> None:
        super().__init__(f"there is no token {token_id} that still works: see `elp tokens list`")
        self.token_id = token_id


class UnknownScopeError(ElpError):
    """A token was to have a scope that there is not, or none at all."""

    def __init__(self, scopes: Collection[str]) -> None:
        wrong = ", ".join(sorted(scopes)) or "none given"
        super().__init__(f"unknown scopes: {wrong}; there are {', '.join(sorted(PERMISSIONS))}")
        self.scopes = scopes


class StoredToken(msgspec.Struct, frozen=True):
    """What is known of a token; the token itself is not."""

    id: UUID
    name: str
    prefix: str
    user_id: UUID | None
    scopes: Sequence[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    rotated_from_id: UUID | None


def create_token(
    connection: Connection,
    *,
    name: str,
    scopes: Collection[str],
    user_id: UUID | None,
    expires_at: datetime | None,
    actor: str,
    now: datetime,
) -> tuple[UUID, NewToken]:
    """Make a token, in the caller's transaction.

    Raises:
        UnknownScopeError: a scope is no permission.
    """
    if not scopes or not PERMISSIONS.issuperset(scopes):
        raise UnknownScopeError(set(scopes) - PERMISSIONS)
    token = draw("elp")
    token_id = _insert(connection, token, name, user_id, sorted(scopes), expires_at, None)
    fields = {"name": name, "scopes": sorted(scopes), "user_id": user_id, "expires_at": expires_at}
    record(connection, [AuditEntry(actor, "api_token.created", "api_token", str(token_id), None, fields)], now)
    return token_id, token


def rotate_token(
    connection: Connection, token_id: UUID, *, overlap_until: datetime, actor: str, now: datetime
) -> tuple[UUID, NewToken]:
    """Replace a token by a new one with the same rights and lifetime; the old one works until `overlap_until`.

    Raises:
        UnknownTokenError: there is none that still works.
    """
    old = connection.execute(
        "SELECT name, user_id, scopes, expires_at, created_at FROM api_tokens WHERE id = %s AND revoked_at IS NULL"
        " AND (expires_at IS NULL OR expires_at > %s) FOR UPDATE",
        (token_id, now),
    ).fetchone()
    if old is None:
        raise UnknownTokenError(token_id)
    name, user_id, scopes, expires_at, created_at = old
    token = draw("elp")
    new_ends_at = None if expires_at is None else now + (expires_at - created_at)
    new_id = _insert(connection, token, name, user_id, scopes, new_ends_at, token_id)
    ends_at = overlap_until if expires_at is None else min(overlap_until, expires_at)
    connection.execute("UPDATE api_tokens SET expires_at = %s WHERE id = %s", (ends_at, token_id))
    ends = ({"expires_at": expires_at}, {"expires_at": ends_at})
    entries = [
        AuditEntry(actor, "api_token.rotated", "api_token", str(token_id), *ends),
        AuditEntry(actor, "api_token.created", "api_token", str(new_id), None, {"name": name}),
    ]
    record(connection, entries, now)
    return new_id, token


def revoke_token(connection: Connection, token_id: UUID, *, actor: str, now: datetime) -> None:
    """Have a token work no more; API processes hear of it within the time they remember tokens.

    Raises:
        UnknownTokenError: there is none that still works.
    """
    changed = connection.execute(
        "UPDATE api_tokens SET revoked_at = %s WHERE id = %s AND revoked_at IS NULL", (now, token_id)
    ).rowcount
    if not changed:
        raise UnknownTokenError(token_id)
    fields = ({"revoked_at": None}, {"revoked_at": now})
    entry = AuditEntry(actor, "api_token.revoked", "api_token", str(token_id), *fields)
    record(connection, [entry], now)


def list_tokens(connection: Connection, now: datetime, *, every: bool) -> list[StoredToken]:
    """Return the tokens that work; with `every` also those that don't any more."""
    rows = connection.execute(load_query(PACKAGE, "list_tokens"), {"all": every, "now": now})
    return [StoredToken(*row) for row in rows]


def _insert(
    connection: Connection,
    token: NewToken,
    name: str,
    user_id: UUID | None,
    scopes: Sequence[str],
    expires_at: datetime | None,
    rotated_from_id: UUID | None,
) -> UUID:
    row: Any = connection.execute(
        "INSERT INTO api_tokens (name, prefix, token_hash, user_id, scopes, expires_at, rotated_from_id)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id",
        (name, token.prefix, token.digest, user_id, list(scopes), expires_at, rotated_from_id),
    ).fetchone()
    return UUID(str(row[0]))
