"""The command line `elp`: one sub-command a thing an operator does. Each stands in a module of its own."""

from worker.cli import (
    achievements,
    audit,
    backups,
    basics,
    billing,
    content,
    db,
    demo,
    doctor,
    jobs,
    keys,
    search,
    seed,
    servers,
    simulate,
    srs,
    tokens,
    tryouts,
    up,
    users,
)
from worker.cli.console import ElpTyper
from worker.cli.permissions import protect

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
app.add_typer(content.app, name="content")
app.add_typer(backups.app, name="backups")
app.add_typer(db.app, name="db")
app.add_typer(search.app, name="search")
app.add_typer(srs.app, name="srs")
app.add_typer(tryouts.app, name="tryouts")
app.add_typer(billing.app, name="billing")
app.add_typer(audit.app, name="audit")
app.add_typer(keys.app, name="keys")
app.add_typer(tokens.app, name="tokens")
app.add_typer(users.app, name="users")
app.add_typer(servers.app, name="servers")
app.command()(basics.settings)
app.command()(basics.version)
protect(app)
