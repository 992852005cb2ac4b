"""The command line finds the servers that another command embedded: nobody has to name them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.support.settings import forget_settings
from worker.cli import app
from worker.db.schema import migrate
from worker.embedded import servers

pytestmark = pytest.mark.processes

COMMANDS = (
    "achievements list",
    "audit verify",
    "billing breaks list",
    "billing charges",
    "billing subscriptions",
    "billing verify",
    "db health",
    "jobs history",
    "jobs list",
    "jobs missed",
    "jobs outbox",
    "search status",
    "tokens list",
    "tryouts check",
    "tryouts flags",
    "tryouts signals",
)


@pytest.fixture
def embedded(tmp_path: Path, settings: Callable[..., object], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings(data_dir=tmp_path / "elp", database_url=None, redis_url=None)
    with servers() as used:
        migrate(used.database_url)
        with monkeypatch.context() as another_terminal:  # it doesn't know what `servers` tells this process
            another_terminal.delenv("ELP_DATABASE_URL")
            another_terminal.delenv("ELP_REDIS_URL")
            forget_settings()
            yield
        forget_settings()


def test_commands_work_on_the_servers_that_run(embedded: None) -> None:
    results = {command: CliRunner().invoke(app, command.split()) for command in COMMANDS}
    assert {
        command: result.output or repr(result.exception) for command, result in results.items() if result.exit_code
    } == {}
