"""Every command of `elp` declares its permission, and is refused to a role without it."""

import pytest
from typer.testing import CliRunner

from worker.cli import app
from worker.cli.permissions import COMMANDS, FREE, NotAllowedError, check, commands, permission_of
from worker.security.permissions import PERMISSIONS

NAMES = [name for name, _ in commands(app)]


@pytest.mark.parametrize("name", NAMES)
def test_command_declares_its_permission(name: str):
    assert name in FREE or permission_of(name) in PERMISSIONS, (
        f"`elp {name}` declares no permission: add it to COMMANDS in worker/cli/permissions.py"
    )


def test_table_names_no_command_that_there_is_not():
    groups = {name.rsplit(" ", 1)[0] for name in NAMES}
    assert set(COMMANDS) <= {*NAMES, *groups}


@pytest.mark.parametrize(
    ("role", "allowed", "refused"),
    [
        ("operator", "jobs pause", "users erase"),
        ("finance", "audit verify", "jobs run"),
        ("editor", "seed", "tokens create"),
        ("teacher", "srs report", "achievements revoke"),
        ("learner", "version", "srs report"),
    ],
)
def test_role_runs_what_its_permissions_cover(settings, role: str, allowed: str, refused: str):
    settings(cli_role=role)
    if allowed not in FREE:
        check(allowed)
    with pytest.raises(NotAllowedError, match=f"elp {refused}"):
        check(refused)


def test_admin_runs_everything_also_what_declares_nothing(settings):
    settings()
    for name in [*NAMES, "no such command"]:
        check(name)
    settings(cli_role="operator")
    with pytest.raises(NotAllowedError, match="declares no permission"):
        check("new command")


def test_refused_command_does_nothing(settings):
    settings(cli_role="finance")
    result = CliRunner().invoke(app, ["jobs", "pause", "attempts.ensure_partitions"])
    assert isinstance(result.exception, NotAllowedError)
    assert CliRunner().invoke(app, ["keys", "new"]).exit_code == 0
