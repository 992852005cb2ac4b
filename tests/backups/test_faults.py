"""What goes wrong meanwhile: the disk, the store, the worker, the slot, the server. Real processes are killed."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from tests.backups.world import PATIENCE_S, World, damage, eventually
from tests.support.processes import ROOT, Program
from worker import clock
from worker.backups.chains import LATEST
from worker.backups.checking import check
from worker.backups.checks import CheckResult
from worker.backups.errors import BackupError, ToolError
from worker.backups.pruning import prune
from worker.backups.server import BACKUP_LOCK
from worker.backups.taking import take
from worker.backups.verifying import restore, verify
from worker.db.schema import migrate

pytestmark = pytest.mark.processes

TAKE = """
import sys
from worker.backups.taking import take
from worker.settings import get_settings
take(get_settings(), "full", on_wait=lambda: print("waits", flush=True))
"""


def environment(world: World, **values: object) -> dict[str, str]:
    settings = world.settings(**values)
    return {
        "ELP_DATABASE_URL": world.server.url,
        "ELP_DATA_DIR": str(settings.data_dir),
        "ELP_BACKUP_REPOSITORY": str(settings.backup_repository),
        "ELP_BACKUP_KEY": world.key,
        "ELP_BACKUP_POSTGRES_BIN": str(settings.backup_postgres_bin),
    }


def fill(world: World, megabytes: int) -> None:
    """Add random bytes, which do not shrink."""
    world.run("CREATE TABLE IF NOT EXISTS filling (part bytea)")
    world.run("ALTER TABLE filling ALTER part SET STORAGE EXTERNAL")
    world.run(
        "INSERT INTO filling SELECT string_agg(decode(md5(random()::text), 'hex'), '') "
        f"FROM generate_series(1, {megabytes * 64}) AS part, generate_series(1, 1024) AS sixteen GROUP BY part"
    )


@pytest.fixture
def migrated(world: Callable[..., World]) -> World:
    return world(migrated=True)


def test_two_at_once_come_one_after_the_other(migrated: World, program: Callable[..., Program]) -> None:
    with psycopg.connect(migrated.server.url, autocommit=True) as holder:
        holder.execute("SELECT pg_advisory_lock(%s, %s)", BACKUP_LOCK)
        second = program("python", "-c", TAKE, **environment(migrated)).start()
        eventually(lambda: "waits" in second.output())
        assert migrated.entries() == []
    eventually(lambda: len(migrated.entries()) == 1)


def test_worker_killed_in_the_middle_leaves_nothing_that_counts(
    migrated: World, program: Callable[..., Program]
) -> None:
    fill(migrated, 30)
    killed = program("python", "-c", TAKE, **environment(migrated, backup_compression_level=1)).start()
    eventually(lambda: migrated.run("SELECT count(*) FROM backups WHERE state = 'running'") == [(1,)])
    os.kill(killed.pid, signal.SIGKILL)
    assert killed.process is not None
    killed.process.wait(PATIENCE_S)
    eventually(lambda: migrated.run("SELECT count(*) FROM pg_stat_replication") == [(0,)])
    assert migrated.entries() == []
    entry = take(migrated.settings(), "full")
    assert [found.label for found in migrated.entries()] == [entry.label]
    states = migrated.run("SELECT state, error FROM backups ORDER BY started_at")
    assert states == [("failed", "its process was lost"), ("complete", None)]
    prune(migrated.settings(), dry=False)
    assert [path.name for path in (migrated.repository_folder / "backups").iterdir()] == [entry.label]


def test_full_disk_fails_the_backup_by_name_and_the_next_one_is_well(migrated: World) -> None:
    fill(migrated, 8)
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4 << 20, 4 << 20))\n{TAKE}"
    done = subprocess.run(
        [sys.executable, "-c", limited],
        env={**os.environ, **environment(migrated)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert done.returncode != 0
    assert "StoreError" in done.stderr
    assert "too large" in done.stderr.lower()
    assert migrated.run("SELECT state, error LIKE '%base.tar%' FROM backups") == [("failed", True)]
    assert migrated.entries() == []
    assert take(migrated.settings(), "full").stored_bytes > 8 << 20


@pytest.mark.long
def test_database_that_ends_in_the_middle_fails_the_backup(migrated: World) -> None:
    fill(migrated, 60)
    errors: list[BaseException] = []

    def run() -> None:
        try:
            take(migrated.settings(backup_compression_level=19), "full")
        except BackupError as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    eventually(lambda: migrated.run("SELECT count(*) FROM pg_stat_replication WHERE state = 'backup'") == [(1,)])
    migrated.server.kill()
    thread.join(PATIENCE_S)
    assert len(errors) == 1
    assert isinstance(errors[0], ToolError)
    assert migrated.entries() == []


def test_store_that_is_cut_off_holds_nothing_up_and_nothing_is_lost(migrated: World) -> None:
    with migrated.streaming():
        take(migrated.settings(), "full")
        migrated.run("CREATE TABLE marks (number int)")
        migrated.wait_archived()
        cut = migrated.repository_folder / "wal"
        away = migrated.folder / "away"
        cut.rename(away)
        cut.write_bytes(b"")  # whoever writes below it is refused
        migrated.run("INSERT INTO marks SELECT 7")
        time.sleep(1)
        found = check(migrated.settings(), clock.now())
        assert found.restorable_at is None
        cut.unlink()
        away.rename(cut)
        migrated.wait_archived()
    seen: list[int] = []

    def look(server, programs) -> list[CheckResult]:
        with server.connect() as connection:
            seen.extend(number for (number,) in connection.execute("SELECT number FROM marks"))
        return []

    restore(migrated.settings(), migrated.folder / "back", LATEST, durable=False, use=look)
    assert seen == [7]


@pytest.mark.long
def test_lost_slot_is_told_and_a_full_backup_closes_the_gap(world: Callable[..., World]) -> None:
    small = world(migrated=True, max_slot_wal_keep_size="48MB", max_wal_size="64MB", min_wal_size="32MB")
    settings = small.settings()
    with small.streaming():
        before = take(settings, "full")
        small.wait_archived()
        assert check(settings, clock.now()).problems == []
    for _ in range(8):  # nobody receives
        fill(small, 16)
        small.run("SELECT pg_switch_wal()")
        small.run("CHECKPOINT")
    found = check(settings, clock.now())
    assert found.slot_state == "lost"
    assert any("is lost" in problem for problem in found.problems)
    with small.streaming():
        eventually(lambda: check(settings, clock.now()).slot_state in {"reserved", "extended"})
        eventually(lambda: any("gap" in problem for problem in check(settings, clock.now()).problems))
        found = check(settings, clock.now())
        assert found.needs_full
        assert any(before.label in problem for problem in found.problems)
        after = take(settings, "full")
        small.run("CREATE TABLE late AS SELECT 1 AS number")
        small.wait_archived()
        eventually(lambda: check(settings, clock.now()).problems == [])
        assert verify(settings).entry.label == after.label


@pytest.mark.long
def test_spool_that_is_lost_goes_on_behind_what_the_repository_has(migrated: World) -> None:
    settings = migrated.settings()
    with migrated.streaming():
        take(settings, "full")
        for _ in range(3):
            migrated.run("CREATE TABLE IF NOT EXISTS marks (number int)")
            migrated.run("SELECT pg_switch_wal()")
        migrated.wait_archived()
    shutil.rmtree(settings.data_dir / "wal-spool")
    with migrated.streaming():
        migrated.run("INSERT INTO marks SELECT 9")
        migrated.wait_archived()
        eventually(lambda: check(settings, clock.now()).problems == [])


@pytest.mark.long
@pytest.mark.skipif(not Path("/usr/lib/postgresql/15/bin/postgres").exists(), reason="needs a second version")
def test_backup_of_an_upgraded_server_begins_a_chain_and_asks_for_its_programs(world: Callable[..., World]) -> None:
    new = world(migrated=True)
    settings = new.settings()
    old = take(settings, "full")
    # What pg_upgrade does to the identity of a cluster: another identifier, and maybe another version.
    new.server.stop()
    shutil.rmtree(new.server.data)
    new.server.start()
    migrate(new.server.url)
    after = take(settings, "incremental")
    assert after.kind == "full"
    assert after.system_identifier != old.system_identifier
    assert verify(settings, label=old.label).entry.label == old.label
    assert verify(settings).entry.label == after.label
    other = "/usr/lib/postgresql/15/bin" if new.major != 15 else None
    if other is not None:
        with pytest.raises(Exception, match="ELP_BACKUP_POSTGRES_BIN"):
            verify(new.settings(backup_postgres_bin=other), label=old.label)


@pytest.mark.long
def test_wrong_clock_of_the_worker_decides_nothing(migrated: World, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = migrated.settings()
    first = take(settings, "full")
    real = clock.now
    monkeypatch.setattr("worker.clock.now", lambda: real() - timedelta(days=400))
    second = take(settings, "incremental", now=clock.now)
    assert second.started_at > first.finished_at
    if migrated.major >= 17:
        assert second.parent == first.label
    assert prune(settings, dry=True, now=clock.now).decision.removed == []
    done = restore(settings, migrated.folder / "back", LATEST, durable=False)
    assert done.entry.label == second.label


def test_manifest_that_is_damaged_does_not_stop_the_nightly_backup(migrated: World) -> None:
    settings = migrated.settings()
    first = take(settings, "full")
    damage(migrated.repository_folder / first.objects["manifest"].key)
    second = take(settings, "incremental")
    assert second.kind == "full"


COMMIT = """
import sys, time, psycopg
with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    number = 0
    while True:
        number += 1
        connection.execute("INSERT INTO acknowledged VALUES (%s)", [number])
        print(number, time.time(), flush=True)
        time.sleep(0.002)
"""


@pytest.mark.parametrize(
    "synchronous",
    [
        pytest.param(False, id="streaming", marks=pytest.mark.long),  # its promise is one of time: for an idle machine
        pytest.param(True, id="synchronous"),
    ],
)
def test_what_was_committed_a_second_before_the_disk_was_lost_comes_back(
    world: Callable[..., World], program: Callable[..., Program], synchronous: bool
) -> None:
    lost = world(migrated=True)
    lost.run("CREATE TABLE acknowledged (number int)")
    process = program(
        "python",
        "-m",
        "worker.backups.wal_process",
        **environment(lost),
        ELP_BACKUP_SYNCHRONOUS=str(synchronous).lower(),
    )
    process.start()
    eventually(lambda: lost.run("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == [(1,)])
    if synchronous:
        lost.run("ALTER SYSTEM SET synchronous_standby_names = 'elp_wal'")
        lost.run("SELECT pg_reload_conf()")
        eventually(lambda: lost.run("SELECT sync_state FROM pg_stat_replication") == [("sync",)])
    take(lost.settings(), "full")
    lost.wait_archived()
    writer = program("python", "-c", COMMIT, lost.server.url).start()
    eventually(lambda: len(writer.output().splitlines()) > 200)
    lost.server.kill()
    killed_at = time.time()
    shutil.rmtree(lost.server.data)
    if not synchronous:  # and the machine of the receiver has its second, no more
        time.sleep(1)
        process.kill()
    else:
        time.sleep(2)  # the receiver lives on and ships what it has
        process.stop()
    lines = [line.split() for line in writer.output().splitlines()]
    acknowledged = [(int(words[0]), float(words[1])) for words in lines if len(words) == 2 and words[0].isdecimal()]
    owed = {number for number, at in acknowledged if synchronous or at < killed_at - 1}
    found: set[int] = set()

    def look(server, programs) -> list[CheckResult]:
        with server.connect() as connection:
            found.update(number for (number,) in connection.execute("SELECT number FROM acknowledged"))
        return []

    restore(lost.settings(), lost.folder / "back", LATEST, durable=False, use=look)
    assert len(acknowledged) > 100
    assert owed - found == set()


def test_life_goes_on_after_a_restore_on_a_timeline_of_its_own(migrated: World) -> None:
    settings = migrated.settings()
    migrated.run("CREATE TABLE marks (number int)")
    with migrated.streaming():
        first = take(settings, "full")
        migrated.run("INSERT INTO marks VALUES (1)")
        migrated.wait_archived()
    migrated.server.kill()
    shutil.rmtree(migrated.server.data)
    restore(settings, migrated.server.data, LATEST)
    migrated.server.start()
    with migrated.streaming():
        migrated.run("INSERT INTO marks VALUES (2)")
        migrated.wait_archived()
        assert check(settings, clock.now()).problems == []
    seen: list[int] = []

    def look(server, programs) -> list[CheckResult]:
        with server.connect() as connection:
            seen.extend(number for (number,) in connection.execute("SELECT number FROM marks ORDER BY 1"))
        return []

    done = restore(settings, migrated.folder / "back", LATEST, durable=False, use=look)
    assert done.entry.label == first.label
    assert seen == [1, 2]
    after = take(settings, "incremental")
    assert (after.kind, after.timeline) == ("full", 2)
