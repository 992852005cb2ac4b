"""`elp seed`."""

import json

import psycopg
import pytest
import typer
from typer.testing import CliRunner

from worker.cli.seed import seed
from worker.content.values import Content

pytestmark = pytest.mark.usefixtures("built_once")

app = typer.Typer()
app.command()(seed)


def test_dry_run_shows_what_would_be_written_and_needs_no_server(content: Content):
    result = CliRunner().invoke(app, ["--dry-run"])
    assert result.exit_code == 0
    assert f"{len(content.questions):,}" in result.output
    assert "multiple choice" in result.output
    assert "nothing written" in result.output


def test_json_is_for_programs(content: Content):
    result = CliRunner().invoke(app, ["--dry-run", "--json", "--seed", "1"])
    report = json.loads(result.output)
    assert report["digest"] == content.digest()
    assert report["written"] is None
    assert sum(report["by_type"]["ordering"]["reading"].values()) > 500


@pytest.mark.usefixtures("redis_url")
def test_seed_loads_the_database_that_the_settings_name(database_url: str, content: Content):
    first = CliRunner().invoke(app, [])
    assert first.exit_code == 0, first.output
    again = json.loads(CliRunner().invoke(app, ["--json"]).output)
    assert again["written"]["questions"] == {"inserted": 0, "updated": 0, "unchanged": len(content.questions)}
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT action FROM audit_log").fetchall() == [("content.seeded",)]
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT count(*) FROM lessons").fetchone() == (len(content.lessons),)
