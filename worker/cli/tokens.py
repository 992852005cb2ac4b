"""`elp tokens`: the API tokens of services and operators."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

import msgspec
import typer
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from worker import clock
from worker.cli.actors import actor
from worker.cli.console import out
from worker.db import transaction
from worker.embedded import servers
from worker.security import token_store

app = typer.Typer(help="API tokens of services and operators.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
TokenId = Annotated[UUID, typer.Argument(metavar="TOKEN", help="Its id, from `elp tokens list`.")]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    *,
    scope: Annotated[list[str], typer.Option(help="A permission that it has; may be given several times.")],
    user: Annotated[UUID | None, typer.Option(help="The account whose rights bound it; none: a service's.")] = None,
    days: Annotated[int, typer.Option(min=1, max=3_650, help="How long it works.")] = 365,
    as_json: AsJson = False,
) -> None:
    """Make a token. It is shown this once."""
    now = clock.now()
    with servers(), transaction() as connection:
        token_id, token = token_store.create_token(
            connection,
            name=name,
            scopes=scope,
            user_id=user,
            expires_at=now + timedelta(days=days),
            actor=actor(),
            now=now,
        )
    _show(token_id, token.text, as_json=as_json)


@app.command()
def rotate(
    token_id: TokenId,
    *,
    overlap_hours: Annotated[int, typer.Option(min=0, max=8_760, help="How long the old one still works.")] = 24,
    as_json: AsJson = False,
) -> None:
    """Replace a token by a new one with the same rights. It is shown this once."""
    now = clock.now()
    with servers(), transaction() as connection:
        new_id, token = token_store.rotate_token(
            connection, token_id, overlap_until=now + timedelta(hours=overlap_hours), actor=actor(), now=now
        )
    _show(new_id, token.text, as_json=as_json)


@app.command()
def revoke(token_id: TokenId) -> None:
    """Have a token work no more."""
    with servers(), transaction() as connection:
        token_store.revoke_token(connection, token_id, actor=actor(), now=clock.now())
    out.print(f"token {token_id} works no more; API processes forget it within ELP_AUTH_CACHE_S seconds")


@app.command("list")
def show(
    *,
    every: Annotated[bool, typer.Option("--all", help="Also those that work no more.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the tokens and when each was last used."""
    with servers(), transaction() as connection:
        tokens = token_store.list_tokens(connection, clock.now(), every=every)
    if as_json:
        out.print_json(msgspec.json.encode(tokens).decode())
        return
    table = Table("id", "name", "begins", "scopes", "expires", "last used", "revoked", box=SIMPLE_HEAD, pad_edge=False)
    for token in tokens:
        instants = (
            "–" if instant is None else instant.isoformat(timespec="minutes")
            for instant in (token.expires_at, token.last_used_at, token.revoked_at)
        )
        scopes = ", ".join(token.scopes)
        table.add_row(str(token.id), escape(token.name), f"{token.prefix}…", escape(scopes), *instants)
    out.print(table)


def _show(token_id: UUID, text: str, *, as_json: bool) -> None:
    if as_json:
        out.print_json(msgspec.json.encode({"id": token_id, "token": text}).decode())
    else:
        out.print(f"token {token_id}, shown this once:\n{text}", soft_wrap=True)
