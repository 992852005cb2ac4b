"""Processes are recognised again, and no other is ever taken for them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.support.processes import wait_until
from worker.embedded import tether
from worker.embedded.process import ProcessMark, ServerRecord, lock_within, try_lock, write_private

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


def test_process_is_known_by_more_than_its_id() -> None:
    mine = ProcessMark.of(os.getpid())
    assert mine is not None
    assert mine.is_alive()
    reused = ProcessMark(pid=mine.pid, started_ticks=mine.started_ticks - 1, boot_id=mine.boot_id)
    assert not reused.is_alive()
    before_reboot = ProcessMark(pid=mine.pid, started_ticks=mine.started_ticks, boot_id="another")
    assert not before_reboot.is_alive()


def test_signal_for_a_process_that_is_gone_reaches_nobody_else() -> None:
    mine = ProcessMark.of(os.getpid())
    assert mine is not None
    former = ProcessMark(pid=mine.pid, started_ticks=mine.started_ticks - 1, boot_id=mine.boot_id)
    former.send(signal.SIGKILL)
    former.kill_with_children()
    assert former.wait(0)


def test_ended_process_that_nobody_has_waited_for_is_not_alive() -> None:
    with subprocess.Popen(["true"]) as process:
        mark = ProcessMark.of(process.pid)
        if mark is not None:
            assert mark.wait(5)
        assert ProcessMark.of(process.pid) is None  # a zombie until it is waited for


def test_record_survives_its_file_and_a_torn_file_is_none(tmp_path: Path) -> None:
    mark = ProcessMark.of(os.getpid())
    assert mark is not None
    path = tmp_path / "server.json"
    assert ServerRecord.read(path) is None
    ServerRecord(mark, 5432).write(path)
    assert ServerRecord.read(path) == ServerRecord(mark, 5432)
    path.write_text(path.read_text()[:20])
    assert ServerRecord.read(path) is None


def test_private_file_can_be_read_by_its_owner_only(tmp_path: Path) -> None:
    write_private(tmp_path / "password", "secret")
    assert (tmp_path / "password").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["password"]


def test_lock_is_held_by_the_processes_that_inherited_it(tmp_path: Path) -> None:
    lock = try_lock(tmp_path / "lock")
    assert lock is not None
    child = subprocess.Popen(SLEEP, pass_fds=[lock])
    os.close(lock)
    assert try_lock(tmp_path / "lock") is None
    assert lock_within(tmp_path / "lock", 0.1) is None
    child.kill()
    child.wait()
    again = try_lock(tmp_path / "lock")
    assert again is not None
    os.close(again)


def test_tethered_process_ends_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    script = (
        "import subprocess, sys, time\n"
        "from worker.embedded import tether\n"
        f"child = subprocess.Popen([*tether.command(15), *{SLEEP!r}])\n"
        f"open({str(pid_file)!r}, 'w').write(f'{{child.pid}} ')\n"
        "time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script])
    while not pid_file.exists() or not pid_file.read_text().endswith(" "):
        time.sleep(0.02)
    number = int(pid_file.read_text())
    child = ProcessMark.of(number)
    wait_until(lambda: psutil.Process(number).cmdline()[:3] == SLEEP[:3])  # the tie is made before
    parent.kill()
    parent.wait()
    assert child is not None
    assert child.wait(60)


def test_tether_refuses_when_the_parent_is_gone_already() -> None:
    command = tether.command(15)
    command[5] = "1"
    done = subprocess.run([*command, "true"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "the parent is gone already\n")


@pytest.mark.parametrize("program", ["no-such-program", "/etc/hostname"])
def test_program_that_cannot_be_run_is_named(program: str) -> None:
    done = subprocess.run([*tether.command(15), program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"{program}: ")
