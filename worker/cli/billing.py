"""`elp billing`: what finance and operators do about money."""

import typer

from worker.cli import billing_books

app = typer.Typer(help="Subscriptions, payments, reconciliation and the ledger.", no_args_is_help=True)
billing_books.register(app)
