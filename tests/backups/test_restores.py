"""Backups are taken, the database goes on, and each instant comes back: real servers, real files."""

import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from tests.backups.world import World, damage
from worker import clock
from worker.backups.chains import LATEST, Target
from worker.backups.checks import CheckResult
from worker.backups.codec import new_key
from worker.backups.content import Table, differences, digest, record_content
from worker.backups.entry import Entry
from worker.backups.errors import (
    BackupError,
    DamagedBackupsError,
    NoBackupError,
    NoRoomError,
    TargetNotReachedError,
    UnknownBackupError,
    WalGapError,
    WrongKeyError,
)
from worker.backups.taking import take
from worker.backups.verifying import Restored, restore, verify

pytestmark = [pytest.mark.processes]


@dataclass
class Story:
    """Two backups and four marks: one before each of them, two after both."""

    world: World
    full: Entry
    second: Entry
    between: datetime
    """An instant between the third mark and the fourth."""
    fourth_xid: int


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    world = World(tmp_path_factory.mktemp("story"))
    settings = world.settings()
    world.run("CREATE TABLE marks (number int PRIMARY KEY, filling text)")
    world.run("INSERT INTO marks SELECT 1, repeat('x', 100)")
    world.run("CREATE TABLE large AS SELECT number, md5(number::text) FROM generate_series(1, 20000) AS number")
    world.run("VACUUM large")
    with world.streaming():
        full = take(settings, "full")
        world.run("INSERT INTO marks SELECT 2, 'two'")
        second = take(settings, "incremental")
        world.run("INSERT INTO marks SELECT 3, 'three'")
        time.sleep(0.01)
        ((between,),) = world.run("SELECT clock_timestamp()")
        time.sleep(0.01)
        with psycopg.connect(world.server.url) as connection:
            connection.execute("INSERT INTO marks SELECT 4, 'four'")
            row = connection.execute("SELECT pg_current_xact_id()::text::bigint").fetchone()
        world.wait_archived()
    world.server.kill()
    yield Story(world, full, second, between, row[0])
    world.close()


def marks_after(story: Story, directory: Path, target: Target, **values: object) -> tuple[list[int], Restored]:
    seen: list[int] = []

    def look(server, programs) -> list[CheckResult]:
        with server.connect() as connection:
            seen.extend(number for (number,) in connection.execute("SELECT number FROM marks ORDER BY number"))
        return []

    done = restore(story.world.settings(**values), directory, target, use=look, durable=False)
    return seen, done


def test_second_backup_is_incremental_where_the_server_can(story: Story) -> None:
    if story.world.major >= 17:
        assert (story.second.kind, story.second.parent) == ("incremental", story.full.label)
        assert story.second.stored_bytes < story.full.stored_bytes / 5
    else:
        assert (story.second.kind, story.second.parent) == ("full", None)


def test_latest_is_everything_that_was_committed_though_the_server_is_gone(story: Story, tmp_path: Path) -> None:
    marks, done = marks_after(story, tmp_path / "back", LATEST)
    assert marks == [1, 2, 3, 4]
    assert done.entry.label == story.second.label
    assert done.restore_ms > 0
    assert [check.name for check in done.checks][:2] == ["starts", "migrations"]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (lambda story: Target(at=story.between), [1, 2, 3]),
        (lambda story: Target(xid=story.fourth_xid), [1, 2, 3, 4]),
        (lambda story: Target(xid=story.fourth_xid, inclusive=False), [1, 2, 3]),
        (lambda story: Target(at=story.second.started_at), [1, 2]),
    ],
    ids=["instant", "transaction", "before the transaction", "before the second backup"],
)
def test_any_instant_comes_back(story: Story, tmp_path: Path, target, expected: list[int]) -> None:
    marks, _ = marks_after(story, tmp_path / "back", target(story))
    assert marks == expected


def test_restored_folder_is_a_cluster_that_starts_by_itself(story: Story, tmp_path: Path) -> None:
    directory = tmp_path / "back"
    restore(story.world.settings(), directory, LATEST)
    assert not (directory / "recovery.signal").exists()
    assert not (directory / "postmaster.pid").exists()
    settings = (directory / "postgresql.auto.conf").read_text()
    assert "recovery_target" not in settings
    control = subprocess.run(
        [story.world.server.binaries / "pg_controldata", "-D", directory], capture_output=True, text=True, check=True
    )
    assert "shut down" in control.stdout


def test_verification_recovers_to_the_restore_point_and_writes_its_proof_down(story: Story) -> None:
    copy = story.world.copy_repository("verified")
    done = verify(story.world.settings(backup_repository=str(copy)))
    assert done.target == Target(name=f"elp-{story.second.label}")
    assert [check for check in done.checks if check.problem] == []
    names = [check.name for check in done.checks]
    assert any(name.startswith("content of ") for name in names)
    assert {"pg_amcheck", "page checksums"} <= set(names)
    (proven,) = [entry for entry in story.world.entries(backup_repository=str(copy)) if entry.proven]
    assert (proven.label, proven.checksum_state) == (story.second.label, "valid")
    assert proven.proven is not None
    assert proven.proven.restore_ms == done.restore_ms


def test_damaged_object_is_named_and_the_older_chain_used(story: Story, tmp_path: Path) -> None:
    copy = story.world.copy_repository("damaged")
    damage(copy / story.second.objects["base"].key)
    marks, done = marks_after(story, tmp_path / "back", LATEST, backup_repository=str(copy))
    assert marks == [1, 2, 3, 4]
    assert done.entry.label == story.full.label
    assert story.second.objects["base"].key in done.damaged[story.second.label]
    states = {entry.label: entry.checksum_state for entry in story.world.entries(backup_repository=str(copy))}
    assert states == {story.full.label: "unchecked", story.second.label: "corrupt"}


def test_missing_object_is_named_and_nothing_else_serves(story: Story, tmp_path: Path) -> None:
    copy = story.world.copy_repository("missing")
    key = story.full.objects["base"].key
    (copy / key).unlink()
    with pytest.raises(DamagedBackupsError, match=key):
        restore(
            story.world.settings(backup_repository=str(copy)),
            tmp_path / "back",
            Target(at=story.second.started_at),
        )
    assert not (tmp_path / "back").exists()


def test_wrong_key_is_an_error_that_says_so_and_marks_nothing(story: Story, tmp_path: Path) -> None:
    with pytest.raises(WrongKeyError, match="ELP_BACKUP_KEY does not hold that key"):
        restore(story.world.settings(backup_key=new_key()[0]), tmp_path / "back")
    with pytest.raises(WrongKeyError):
        restore(story.world.settings(backup_key=None), tmp_path / "plain")
    assert {entry.checksum_state for entry in story.world.entries()} == {"unchecked"}


def test_a_later_key_does_not_lock_older_backups_out(story: Story, tmp_path: Path) -> None:
    keys = f"{new_key()[0]}, {story.world.key}"
    marks, _ = marks_after(story, tmp_path / "back", LATEST, backup_key=keys)
    assert marks == [1, 2, 3, 4]


def test_gap_in_the_log_is_named(story: Story, tmp_path: Path) -> None:
    copy = story.world.copy_repository("gap")
    segments = sorted(path for path in (copy / "wal").glob("*/*") if len(path.name) == 24)
    assert len(segments) >= 3
    gone = segments[-2]
    for piece in gone.iterdir():
        piece.unlink()
    gone.rmdir()
    settings = story.world.settings(backup_repository=str(copy))
    with pytest.raises(WalGapError, match=gone.name):
        restore(settings, tmp_path / "back", LATEST, label=story.full.label)


def test_damaged_log_is_named(story: Story, tmp_path: Path) -> None:
    copy = story.world.copy_repository("damaged-log")
    last = max(path for path in (copy / "wal").glob("*/*") if len(path.name) == 24)
    piece = next(iter(last.iterdir()))
    damage(piece)
    with pytest.raises(BackupError, match=piece.name):
        restore(story.world.settings(backup_repository=str(copy)), tmp_path / "back", LATEST)


def test_target_that_lies_beyond_the_log_says_what_to_do(story: Story, tmp_path: Path) -> None:
    with pytest.raises(TargetNotReachedError, match="--latest"):
        restore(story.world.settings(), tmp_path / "back", Target(at=datetime(2222, 1, 1, tzinfo=UTC)))


def test_target_before_every_backup_has_none(story: Story, tmp_path: Path) -> None:
    with pytest.raises(NoBackupError, match="no sound backup"):
        restore(story.world.settings(), tmp_path / "back", Target(at=datetime(2001, 1, 1, tzinfo=UTC)))


def test_unknown_label_and_folder_in_use_are_refused(story: Story, tmp_path: Path) -> None:
    with pytest.raises(UnknownBackupError, match="nothing-like-it"):
        restore(story.world.settings(), tmp_path / "back", label="nothing-like-it")
    (tmp_path / "used").mkdir()
    (tmp_path / "used/file").touch()
    with pytest.raises(BackupError, match="not empty"):
        restore(story.world.settings(), tmp_path / "used")
    assert (tmp_path / "used/file").exists()


def test_no_room_is_told_before_anything_is_written(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("usage", (), {"free": 1 << 20})
    monkeypatch.setattr("worker.backups.restoring.shutil.disk_usage", lambda _: usage)
    with pytest.raises(NoRoomError, match="MiB free and the restore needs"):
        restore(story.world.settings(), tmp_path / "back")
    assert list((tmp_path / "back").iterdir()) == []


def test_rows_are_hashed_by_their_values_and_as_text_where_a_type_has_no_hash(
    world: Callable[..., World],
) -> None:
    there = world()
    there.run("CREATE TABLE told (number int, said json)")
    there.run("""INSERT INTO told VALUES (1, '{"a": 1}'), (2, NULL)""")
    there.run("CREATE TABLE counted AS SELECT 1 AS number, ARRAY['a', NULL] AS words, now() AS at")
    content = record_content(there.server.url, "hashes", clock.now())
    tables = content.tables
    assert (tables["public.told"].hashed, tables["public.counted"].hashed) == ("text", "record")
    with psycopg.connect(there.server.url, autocommit=True) as connection:
        assert differences(connection, content) == []
        # As all tables were recorded before rows could be hashed otherwise.
        older = digest(connection, Table("public.counted"))
        content.tables["public.counted"] = older
        assert differences(connection, content) == []
        connection.execute("UPDATE told SET said = '{\"a\": 2}' WHERE number = 1")
        connection.execute("UPDATE counted SET words[2] = 'b'")
        assert differences(connection, content) == [
            "table public.counted holds other rows",
            "table public.told holds other rows",
        ]
