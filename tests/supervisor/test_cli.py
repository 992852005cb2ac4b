"""The command line: clean errors, exit codes, no secrets on the screen."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import psycopg
import pytest

from tests.support.processes import ROOT, Program, wait_until
from worker.cli.basics import shown

ELP = str(Path(sys.executable).parent / "elp")


def elp(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    variables = {**os.environ, "COLUMNS": "200", **environment}
    return subprocess.run([ELP, *arguments], cwd=ROOT, env=variables, capture_output=True, text=True, check=False)


def test_version_is_the_installed_one() -> None:
    assert elp("version").stdout.strip() == version("elp-worker")


def test_wrong_setting_ends_with_its_name_and_exit_code_2() -> None:
    done = elp("settings", ELP_API_PORT="http")
    assert done.returncode == 2
    assert "ELP_API_PORT: " in done.stderr
    assert "Traceback" not in done.stderr


def test_settings_are_shown_without_secrets(tmp_path: Path) -> None:
    done = elp(
        "settings",
        ELP_DATA_DIR=str(tmp_path),
        ELP_API_TOKEN="s3cret",
        ELP_FLOWER_AUTH="me:s3cret",
        ELP_DATABASE_URL="postgresql://elp:s3cret@db/elp",
        ELP_REDIS_URL="redis://:s3cret@cache/0",
    )
    assert done.returncode == 0
    assert "s3cret" not in done.stdout
    assert "postgresql://elp:********@db/elp" in done.stdout
    assert "redis://:********@cache/0" in done.stdout


@pytest.mark.parametrize("url", ["postgresql://elp@db/elp", "redis://cache", "/var/run", ""])
def test_value_without_a_secret_is_shown_as_it_is(url: str) -> None:
    assert shown(url) == url


def test_unreachable_database_is_one_line_and_exit_code_2() -> None:
    done = elp("migrate", ELP_DATABASE_URL="postgresql://elp@127.0.0.1:1/elp", ELP_REDIS_URL="redis://127.0.0.1:1")
    assert done.returncode == 2
    assert done.stderr.startswith("elp: the database cannot be reached or refused: ")
    assert len(done.stderr.splitlines()) == 1


def test_database_without_the_schema_is_told_what_to_run(maintenance_url: str) -> None:
    done = elp("jobs", "list", ELP_DATABASE_URL=maintenance_url, ELP_REDIS_URL="redis://127.0.0.1:1")
    assert done.returncode == 2
    assert done.stderr.rstrip().endswith("run `elp migrate`")


def test_migrate_says_what_it_did(maintenance_url: str, database_url: str) -> None:
    del maintenance_url
    done = elp("migrate", ELP_DATABASE_URL=database_url, ELP_REDIS_URL="redis://127.0.0.1:1")
    assert done.returncode == 0
    assert done.stdout.rstrip().endswith("nothing to do")


def test_status_of_servers_that_never_ran_is_stopped(tmp_path: Path) -> None:
    done = elp("servers", "status", ELP_DATA_DIR=str(tmp_path))
    assert done.returncode == 0
    assert done.stdout.count("stopped") == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.processes
def test_program_runs_with_the_servers_up_and_its_exit_code_is_kept(tmp_path: Path) -> None:
    script = "import os, psycopg; psycopg.connect(os.environ['ELP_DATABASE_URL']).close(); raise SystemExit(7)"
    done = elp("servers", "run", "--scratch", "--", "python", "-c", script, ELP_DATA_DIR=str(tmp_path))
    assert done.returncode == 7, done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.processes
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_command_stops_the_servers_it_started(
    program: Callable[..., Program], tmp_path: Path, number: signal.Signals, code: int
) -> None:
    script = "import os, time; print(os.environ['ELP_DATABASE_URL'], flush=True); time.sleep(600)"
    command = program(ELP, "servers", "run", "--", sys.executable, "-c", script, ELP_DATA_DIR=str(tmp_path / "elp"))
    command.shows_addresses = True
    command.start(ready=lambda: "postgresql://" in command.output())
    url = next(line for line in command.output().splitlines() if line.startswith("postgresql://"))
    psycopg.connect(url).close()
    assert command.process is not None
    command.process.send_signal(number)
    assert command.process.wait(90) == code
    assert "Traceback" not in command.output()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    wait_until(lambda: not command.is_running())
