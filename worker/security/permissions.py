"""Roles and what they may do: the one table. Pure.

A permission reaches everybody's rows (`everyone`) or only those of the account itself (`own`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from worker.models.users import Role

Permission = Literal[
    "attempts.send",
    "attempts.read",
    "study.read",
    "study.write",
    "tryouts.sit",
    "tryouts.read",
    "sessions.manage",
    "account.write",
    "content.read",
    "content.write",
    "events.read",
    "events.send",
    "jobs.read",
    "jobs.run",
    "metrics.read",
    "platform.read",
    "platform.manage",
    "billing.read",
    "billing.write",
    "backups.read",
    "backups.write",
    "users.read",
    "users.write",
    "tokens.write",
    "keys.write",
    "audit.read",
]

PERMISSIONS: Final = frozenset[Permission](get_args(Permission))


@dataclass(frozen=True, slots=True)
class Grants:
    """What a role may do to its own account's rows, and what to anybody's."""

    own: frozenset[Permission]
    everyone: frozenset[Permission]


_ACCOUNT: Final = frozenset[Permission](
    {
        "attempts.send",
        "attempts.read",
        "study.read",
        "study.write",
        "tryouts.sit",
        "tryouts.read",
        "sessions.manage",
        "account.write",
        "billing.read",
    }
)
"""Whoever has an account may study with it, whatever else they are."""


def _role(*everyone: Permission) -> Grants:
    return Grants(_ACCOUNT, frozenset[Permission]({"content.read", *everyone}))


ROLES: Final[Mapping[Role, Grants]] = {
    "learner": _role(),
    "teacher": _role("attempts.read", "study.read", "tryouts.read"),
    "editor": _role("content.write"),
    "finance": _role("billing.read", "billing.write", "audit.read"),
    "operator": _role(
        "jobs.read", "jobs.run", "metrics.read", "platform.read", "platform.manage", "backups.read", "backups.write"
    ),
    "admin": Grants(_ACCOUNT, PERMISSIONS),
}
