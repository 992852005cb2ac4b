"""The command line `elp`: one sub-command a thing an operator does. Each stands in a module of its own."""

from worker.cli import achievements, backups, basics, db, demo, doctor, jobs, seed, servers, simulate, srs, tryouts, up
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
app.command()(doctor.doctor)
app.command()(simulate.simulate)
app.add_typer(jobs.app, name="jobs")
app.add_typer(achievements.app, name="achievements")
app.add_typer(backups.app, name="backups")
app.add_typer(db.app, name="db")
app.add_typer(srs.app, name="srs")
app.add_typer(tryouts.app, name="tryouts")
app.add_typer(servers.app, name="servers")
app.command()(basics.settings)
app.command()(basics.version)
