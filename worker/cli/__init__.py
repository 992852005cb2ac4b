"""The command line `elp`: one sub-command a thing an operator does. Each stands in a module of its own."""

from worker.cli import basics, db, demo, jobs, seed, servers, tryouts, up
from worker.cli.console import ElpTyper

app = ElpTyper(
    name="elp",
    help="The background half of an English-learning platform.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(up.up)
app.command()(demo.demo)
app.command()(basics.migrate)
app.command()(seed.seed)
app.add_typer(jobs.app, name="jobs")
app.add_typer(db.app, name="db")
app.add_typer(tryouts.app, name="tryouts")
app.add_typer(servers.app, name="servers")
app.add_typer(db.app, name="db")
app.command()(basics.settings)
app.command()(basics.version)
