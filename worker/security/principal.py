"""Who asks: a service, an account by its token, or a learner by their session."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from worker.models.users import Role
from worker.security.permissions import PERMISSIONS, ROLES, Permission

Reach = Literal["own", "everyone"]


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks and what they may do.

    Attributes:
        actor: for the audit log: `token:<id>` or `user:<id>`.
        user_id: whose account it is; None: a service's.
        own: what they may do to that account's rows.
        everyone: what they may do to anybody's.
        session_id: the session that they came with, if it is one.
    """

    actor: str
    user_id: UUID | None
    own: frozenset[Permission]
    everyone: frozenset[Permission]
    session_id: str | None = None

    def reach(self, permission: Permission) -> Reach | None:
        """Return how far a permission goes; None: they don't have it."""
        if permission in self.everyone:
            return "everyone"
        return "own" if self.user_id is not None and permission in self.own else None


BOOTSTRAP: Final = Principal("token:api", None, frozenset(), PERMISSIONS)
"""Whoever has the token of the settings: the app's own back end, and whoever makes the first account."""


def of_role(role: Role, user_id: UUID, *, session_id: str | None = None) -> Principal:
    """Return somebody who came with a session of their own."""
    grants = ROLES[role]
    return Principal(f"user:{user_id}", user_id, grants.own, grants.everyone, session_id)


def of_token(token_id: UUID, scopes: Iterable[str], user_id: UUID | None, role: Role | None) -> Principal:
    """Return who comes with an API token: its scopes, and of those of an account only what its role has, too.

    Scopes that this version does not know grant nothing.
    """
    wanted = PERMISSIONS & frozenset(scopes)
    if user_id is None:
        return Principal(f"token:{token_id}", None, frozenset(), wanted)
    grants = ROLES[role] if role is not None else ROLES["learner"]
    return Principal(f"token:{token_id}", user_id, grants.own & wanted, grants.everyone & wanted)
