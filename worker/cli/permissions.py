"""Which permission each command of `elp` needs, and its check against the role of whoever runs it (ELP_CLI_ROLE).

What an account of the operating system can reach is bounded by the database role in its ELP_DATABASE_URL; this table
keeps somebody of good will within their duty, and says what that is.
"""

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import typer

from worker.errors import ElpError
from worker.security.permissions import ROLES, Permission
from worker.settings import get_settings

FREE: Final = frozenset({"version", "settings", "keys new"})
"""Commands that neither read nor change anything of the platform."""

COMMANDS: Final[Mapping[str, Permission]] = {
    "up": "platform.manage",
    "demo": "platform.manage",
    "migrate": "platform.manage",
    "seed": "content.write",
    "doctor": "platform.read",
    "simulate": "platform.read",
    "servers": "platform.manage",
    "db": "platform.read",
    "db roles": "users.write",
    "jobs": "jobs.read",
    "jobs run": "jobs.run",
    "jobs retry": "jobs.run",
    "jobs cancel": "jobs.run",
    "jobs pause": "jobs.run",
    "jobs resume": "jobs.run",
    "jobs outbox": "platform.manage",
    "achievements": "study.read",
    "achievements revoke": "study.write",
    "achievements restore": "study.write",
    "achievements backfill": "jobs.run",
    "achievements recount": "jobs.run",
    "srs": "study.read",
    "tryouts": "tryouts.read",
    "tryouts rescore": "jobs.run",
    "content": "content.write",
    "search": "platform.read",
    "search rebuild": "platform.manage",
    "billing": "billing.read",
    "billing import": "billing.write",
    "billing reconcile": "billing.write",
    "billing cancel": "billing.write",
    "billing pause": "billing.write",
    "billing resume": "billing.write",
    "billing plan": "billing.write",
    "billing refund": "billing.write",
    "billing price": "billing.write",
    "billing breaks chargeback": "billing.write",
    "billing breaks resolve": "billing.write",
    "billing breaks reopen": "billing.write",
    "backups": "backups.read",
    "backups now": "backups.write",
    "backups restore": "backups.write",
    "backups verify": "backups.write",
    "backups drill": "backups.write",
    "backups prune": "backups.write",
    "backups hold": "backups.write",
    "audit": "audit.read",
    "keys rotate": "keys.write",
    "tokens": "tokens.write",
    "users": "users.write",
}
"""By the command's name, or by its group's for those without a line of their own."""


class NotAllowedError(ElpError):
    """The role of the settings does not allow a command."""

    def __init__(self, command: str, permission: Permission | None, role: str) -> None:
        needs = f"needs the permission {permission}" if permission else "declares no permission, so it is for admins"
        super().__init__(f"`elp {command}` {needs}, and ELP_CLI_ROLE is {role}")
        self.command = command
        self.permission = permission


def permission_of(command: str) -> Permission | None:
    """Return the permission that a command needs, by its own line or its group's; None: it declares none."""
    words = command.split(" ")
    names = (" ".join(words[:length]) for length in range(len(words), 0, -1))
    return next((COMMANDS[name] for name in names if name in COMMANDS), None)


def commands(app: typer.Typer, group: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Yield every command with its whole name."""
    for each in app.registered_commands:
        assert each.callback is not None
        name = each.name or each.callback.__name__.replace("_", "-")
        yield " ".join((*group, name)), each
    for inner in app.registered_groups:
        assert inner.typer_instance is not None
        yield from commands(inner.typer_instance, (*group, str(inner.name)))


def protect(app: typer.Typer) -> None:
    """Have every command check the role before it does anything."""
    for name, each in commands(app):
        if name not in FREE:
            each.callback = _checked(name, each.callback)


def check(command: str) -> None:
    """Let a command pass if the role of the settings has its permission, for everybody's rows.

    Raises:
        NotAllowedError: it does not.
    """
    role = get_settings().cli_role
    permission = permission_of(command)
    if role != "admin" and (permission is None or permission not in ROLES[role].everyone):
        raise NotAllowedError(command, permission, role)


def _checked(name: str, callback: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(callback)
    def run(*args: Any, **kwargs: Any) -> Any:
        check(name)
        return callback(*args, **kwargs)

    return run
