"""`elp users`: accounts, their passwords and roles, and what the law gives a person: their data, or none."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, get_args
from uuid import UUID

import msgspec
import redis.asyncio
import typer

from worker import clock
from worker.audit import AuditEntry, record
from worker.cli.actors import actor
from worker.cli.console import out
from worker.db import transaction
from worker.embedded import servers
from worker.errors import ElpError
from worker.models.users import Role
from worker.security.passwords import make_hash
from worker.security.personal_data import UnknownUserError, erase, export
from worker.security.sessions import forget_person
from worker.settings import get_settings

app = typer.Typer(help="Accounts.", no_args_is_help=True)

UserId = Annotated[UUID, typer.Argument(metavar="USER", help="The account's id.")]


class NotConfirmedError(ElpError):
    """Something that can't be undone was not confirmed."""


@app.command()
def create(
    email: Annotated[str, typer.Argument(help="Its address, unique.")],
    *,
    name: Annotated[str, typer.Option(help="The person's name.")],
    role: Annotated[Role, typer.Option(help=f"One of {', '.join(get_args(Role))}.")] = "learner",
    password: Annotated[bool, typer.Option("--password", help="Read a password from standard input.")] = False,
) -> None:
    """Make an account; without a password nobody can log in to it."""
    hashed = _read_password() if password else None
    with servers(), transaction() as connection:
        row = connection.execute(
            "INSERT INTO users (email, full_name, role, password_hash) VALUES (%s, %s, %s, %s) RETURNING id",
            (email, name, role, hashed),
        ).fetchone()
        assert row is not None
        record(
            connection, [AuditEntry(actor(), "user.created", "user", str(row[0]), None, {"role": role})], clock.now()
        )
    out.print(str(row[0]))


@app.command()
def password(user_id: UserId) -> None:
    """Give an account the password that standard input holds, and end its sessions."""
    hashed = _read_password()
    with servers() as used:
        with transaction() as connection:
            changed = connection.execute(
                "UPDATE users SET password_hash = %s WHERE id = %s", (hashed, user_id)
            ).rowcount
            if not changed:
                raise UnknownUserError(user_id)
            record(connection, [AuditEntry(actor(), "user.password_set", "user", str(user_id), {}, {})], clock.now())
        _forget(used.redis_url, user_id)
    out.print("the password is set; sessions ended")


@app.command()
def role(user_id: UserId, role: Annotated[Role, typer.Argument(help=f"One of {', '.join(get_args(Role))}.")]) -> None:
    """Give an account another role, and end its sessions."""
    with servers() as used:
        with transaction() as connection:
            row = connection.execute("SELECT role FROM users WHERE id = %s FOR UPDATE", (user_id,)).fetchone()
            if row is None:
                raise UnknownUserError(user_id)
            connection.execute("UPDATE users SET role = %s WHERE id = %s", (role, user_id))
            fields = ({"role": row[0]}, {"role": role})
            record(connection, [AuditEntry(actor(), "user.role_changed", "user", str(user_id), *fields)], clock.now())
        _forget(used.redis_url, user_id)
    out.print(f"{row[0]} → {role}; sessions ended")


@app.command("export")
def export_user(
    user_id: UserId,
    *,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file; standard output without.")] = None,
) -> None:
    """Write all that is kept about a person as JSON, but for hashes and keys."""
    with servers(), transaction() as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        data = msgspec.json.format(msgspec.json.encode(export(connection, user_id)))
        record(connection, [AuditEntry(actor(), "user.exported", "user", str(user_id), {}, {})], clock.now())
    if output is None:
        sys.stdout.buffer.write(data + b"\n")
    else:
        output.touch(mode=0o600)
        output.write_bytes(data)
        out.print(f"{len(data):,} bytes in {output}")


@app.command("erase")
def erase_user(
    user_id: UserId, *, yes: Annotated[bool, typer.Option("--yes", help="It can't be undone.")] = False
) -> None:
    """Erase a person; what was paid stays, without their name.

    Backups made before keep them until they are pruned: after a restore, erase again whom the later log names
    (`elp audit list --object-type user`).
    """
    if not yes:
        raise NotConfirmedError("this can't be undone: say --yes")
    with servers() as used:
        with transaction() as connection:
            gone = erase(connection, user_id, actor=actor(), now=clock.now())
        _forget(used.redis_url, user_id)
    out.print(", ".join(f"{table}: {rows:,}" for table, rows in sorted(gone.items())) or "nothing was left to erase")


def _read_password() -> str:
    if sys.stdin.isatty():
        text: str = typer.prompt("password", hide_input=True, confirmation_prompt=True)
    else:
        text = sys.stdin.readline().rstrip("\r\n")
    return make_hash(text, get_settings().password_cost)


def _forget(redis_url: str, user_id: UUID) -> None:
    async def forget() -> None:
        async with redis.asyncio.Redis.from_url(redis_url) as client:
            await forget_person(client, user_id)

    asyncio.run(forget())
