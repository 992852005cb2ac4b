"""What an operator does by command, what the jobs do by the clock: on a server of its own with its log streaming."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

import tasks
from tests.backups.world import World, eventually
from tests.support.settings import forget_settings
from worker import clock
from worker.backups.catalogue import Catalogue
from worker.cli import app
from worker.jobs.execution import start_run, work_on_run
from worker.jobs.registry import load_jobs

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A migrated server without any backup."""
    made = World(tmp_path_factory.mktemp("operating"))
    yield made
    made.close()


@pytest.fixture
def elp(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., object]]:
    """Run `elp backups …` against a repository of this test's own; returns what it printed, as JSON if it is."""
    environment = {
        "DATABASE_URL": world.server.url,
        "DATA_DIR": tmp_path / "data",
        "BACKUP_REPOSITORY": tmp_path / "repository",
        "BACKUP_SLOT": f"elp_{tmp_path.name.lower().replace('-', '_')[-40:]}",
        "BACKUP_POSTGRES_BIN": world.server.binaries,
        "BACKUP_SCRATCH_DIR": tmp_path / "scratch",
    }
    for name, value in environment.items():
        monkeypatch.setenv(f"ELP_{name}", str(value))
    forget_settings()

    def run(*words: object, code: int = 0):
        result = CliRunner().invoke(app, ["backups", *map(str, words)])
        assert result.exit_code == code, f"{result.output}\n{result.exception!r}"
        return json.loads(result.stdout) if "--json" in words else result.stdout

    yield run
    monkeypatch.undo()
    forget_settings()


@pytest.mark.long
def test_a_week_by_command(world: World, elp: Callable[..., object], tmp_path: Path) -> None:
    import worker.settings  # noqa: PLC0415

    settings = worker.settings.get_settings()
    values = {name: getattr(settings, name) for name in ("data_dir", "backup_repository", "backup_slot", "backup_key")}
    assert "no backup yet" in elp("list")
    found = elp("check", "--json", code=1)
    assert found["slot"] == "missing"
    assert any("no sound backup" in problem for problem in found["problems"])
    with world.streaming(**values):
        full = elp("now", "full", "--json")["label"]
        second = elp("now", "--json")
        logical = elp("now", "logical", "--json")["label"]
        assert second["kind"] == ("incremental" if world.major >= 17 else "full")
        world.run("CREATE TABLE IF NOT EXISTS commanded (number int)")
        eventually(lambda: not elp_check(elp)["problems"])
        assert elp_check(elp)["restorable_at"] is not None
        proven = elp("verify", "--json")
        assert proven["label"] == second["label"]
        assert "restore point" in proven["target"]
        drilled = elp("drill", "--json")
        assert drilled["before_ms"] > 0
        assert world.run("SELECT count(*) FROM backup_drills WHERE error IS NULL AND finished_at IS NOT NULL") == [(1,)]
    elp("hold", full)
    listed = {entry["label"]: entry for entry in elp("list", "--json")}
    assert set(listed) == {full, second["label"], logical}
    assert listed[full]["is_held"]
    assert "proven" in listed[second["label"]]
    picture = elp("timeline")
    assert f"● {full}" in picture
    assert "held" in picture
    assert elp("show", full, "--json")["content"]["tables"]["public.users"]["rows"] == 0
    restored = elp("restore", tmp_path / "back", "--latest", "--json")
    assert restored["label"] == second["label"]
    assert (tmp_path / "back/PG_VERSION").exists()
    kept = elp("prune", "--dry-run", "--json")
    assert kept["removed"] == []
    by_hand = "SELECT action, object_id FROM audit_log WHERE object_type = 'backup' ORDER BY id"
    assert world.run(by_hand) == [("backup.held", full), ("backup.restored", second["label"])]
    rows = world.run("SELECT label, state, proven_at IS NOT NULL, is_held FROM backups ORDER BY started_at")
    assert rows == [
        (full, "complete", False, True),
        (second["label"], "complete", True, False),
        (logical, "complete", False, False),
    ]


def elp_check(elp: Callable[..., object]):
    try:
        return elp("check", "--json")
    except AssertionError:
        return elp("check", "--json", code=1)


def test_mistakes_are_told_in_words(elp: Callable[..., object], tmp_path: Path) -> None:
    assert "--to-xid" in CliRunner().invoke(app, ["backups", "restore", str(tmp_path / "x")]).output
    assert elp("restore", tmp_path / "x", "--to", "yesterday", code=2) is not None
    public = elp("key")
    assert public.startswith("AGE-SECRET-KEY-1")


def test_jobs_take_and_prune_and_do_nothing_without_a_repository(
    world: World, elp: Callable[..., object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    load_jobs(tasks.MODULES)
    at = clock.now()

    def run(job: str) -> tuple[str, int]:
        nonlocal at
        at += timedelta(seconds=1)
        started = start_run(job, at, trigger="manual").run
        work_on_run(started.run_id)
        ((state, items),) = world.run(f"SELECT state, items FROM job_runs WHERE id = '{started.run_id}'")
        return state, items

    assert run("backups.full") == ("succeeded", 1)
    assert run("backups.check")[0] == "succeeded"
    found = world.run(f"SELECT slot_state FROM backup_checks WHERE location = 'file://{tmp_path}/repository'")
    assert found == [("missing",)]
    assert run("backups.prune") == ("succeeded", 0)
    monkeypatch.delenv("ELP_BACKUP_REPOSITORY")
    forget_settings()
    assert run("backups.full") == ("succeeded", 0)
    assert run("backups.verify") == ("succeeded", 0)


def test_pruning_removes_children_first_their_objects_and_log_and_keeps_the_proven(
    world: World, elp: Callable[..., object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import worker.settings  # noqa: PLC0415
    from worker.backups.repository import Repository  # noqa: PLC0415

    for name, value in {
        "KEEP_DAILY": 0,
        "KEEP_WEEKLY": 0,
        "KEEP_MONTHLY": 0,
        "KEEP_YEARLY": 0,
        "WINDOW_DAYS": 1,
    }.items():
        monkeypatch.setenv(f"ELP_BACKUP_{name}", str(value))
    forget_settings()
    settings = worker.settings.get_settings()
    labels = [elp("now", "full", "--json")["label"] for _ in range(3)]
    elp("verify", labels[0])
    (tmp_path / "repository/backups/left-over").mkdir()
    (tmp_path / "repository/backups/left-over/base.tar.zst").write_bytes(b"x" * 1000)
    with clock.travelling(clock.now() + timedelta(days=40)):
        done = elp("prune", "--json")
    assert set(done["kept"]) == {labels[0], labels[2]}
    assert done["kept"][labels[0]] == "the last that was proven"
    assert done["removed"] == [labels[1]]
    assert done["orphans"] == ["left-over"]
    assert world.run("SELECT object_id FROM audit_log WHERE action = 'backup.pruned'") == [(labels[1],)]
    assert not (tmp_path / f"repository/backups/{labels[1]}").exists()
    assert not (tmp_path / "repository/backups/left-over").exists()
    left = [entry.label for entry in Catalogue(Repository.from_settings(settings)).entries()]
    assert left == [labels[0], labels[2]]
    assert world.run(f"SELECT state FROM backups WHERE label = '{labels[1]}'") == [("pruned",)]
