"""People and tokens for tests of who may do what."""

from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import psycopg

from tests.api.server import ApiServer
from tests.factories import make_user
from tests.support import seeded
from worker.clock import now
from worker.security.passwords import make_hash
from worker.security.token_store import create_token

PASSWORD = seeded.PASSWORD
COST = 4
HASH = make_hash(PASSWORD, COST)


def make_account(connection: psycopg.Connection[Any], **values: Any) -> UUID:
    """An account whose password is `PASSWORD`."""
    return make_user(connection, **{"password_hash": HASH} | values)


def make_token(
    connection: psycopg.Connection[Any],
    *scopes: str,
    user_id: UUID | None = None,
    expires_at: datetime | None = None,
) -> tuple[UUID, str]:
    with connection.transaction():
        token_id, token = create_token(
            connection, name="test", scopes=scopes, user_id=user_id, expires_at=expires_at, actor="cli:test", now=now()
        )
    return token_id, token.text


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def email_of(connection: psycopg.Connection[Any], user_id: UUID) -> str:
    row = connection.execute("SELECT email FROM users WHERE id = %s", (user_id,)).fetchone()
    assert row is not None
    return str(row[0])


def log_in(api: ApiServer, email: str, password: str = PASSWORD, **headers: str) -> httpx.Response:
    return httpx.post(
        f"{api.url}/v1/sessions", json={"email": email, "password": password}, headers=headers, timeout=30
    )
