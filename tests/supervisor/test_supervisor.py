"""Processes are started, watched, restarted, and none survives the supervisor."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import ROOT, wait_until
from worker.embedded.process import ProcessMark
from worker.supervisor import Entry, NotHealthyError, Supervisor
from worker.supervisor.child import Child, restart_delay

pytestmark = pytest.mark.processes

PROGRAM = str(ROOT / "tests/supervisor/programs.py")


class Lines(list[tuple[str, str]]):
    def __call__(self, name: str, line: str) -> None:
        self.append((name, line))

    def of(self, name: str) -> list[str]:
        return [line for owner, line in list(self) if owner == name]


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert [thread for thread in threading.enumerate() if thread not in before] == []


def entry(name: str, behaviour: str, *arguments: object) -> Entry:
    return Entry(name, (sys.executable, PROGRAM, behaviour, *(str(argument) for argument in arguments)))


def supervise(lines: Lines, *entries: Entry) -> Supervisor:
    return Supervisor(entries, dict(os.environ), lines)


def test_process_that_exits_is_started_again(lines: Lines, tmp_path: Path) -> None:
    with supervise(lines, entry("a", "crash-once", tmp_path / "seen")) as supervisor:
        assert supervisor.wait_healthy(20)
        assert supervisor.children["a"].starts == 2
    assert "[exited with code 1; restarted in 0.5 s]" in lines.of("a")


def test_killed_process_is_started_again_and_its_children_are_ended_first(lines: Lines, tmp_path: Path) -> None:
    with supervise(lines, entry("a", "family", tmp_path / "pids")) as supervisor:
        child = supervisor.children["a"]
        wait_until((tmp_path / "pids").exists)
        wait_until(lambda: len((tmp_path / "pids").read_text().split()) == 2)
        family = [ProcessMark.of(int(pid)) for pid in (tmp_path / "pids").read_text().split()]
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        wait_until(lambda: child.starts == 2)
        assert [member.is_alive() for member in family if member] == [False, False]
        assert "[ended by SIGKILL; restarted in 0.5 s]" in lines.of("a")
        wait_until(lambda: child.running_s() > 0.3)


def test_unhealthy_processes_are_named_with_their_state(lines: Lines) -> None:
    with (
        supervise(
            lines, entry("good", "sleep"), entry("bad", "crash"), Entry("none", ("no-such-program",))
        ) as supervisor,
        pytest.raises(NotHealthyError, match=r"bad \(last exit code 3, \d starts\), none \(last exit code 1") as caught,
    ):
        supervisor.wait_healthy(3.0)
    assert caught.value.names == ["bad", "none"]
    assert "no-such-program: No such file or directory" in lines.of("none")


def test_waiting_for_health_can_be_cancelled(lines: Lines) -> None:
    cancelled = threading.Event()
    cancelled.set()
    with supervise(lines, entry("a", "crash")) as supervisor:
        assert not supervisor.wait_healthy(60, cancelled=cancelled)


def test_probe_decides_what_healthy_means(lines: Lines) -> None:
    asked: list[Child] = []

    def probe(child: Child) -> bool:
        asked.append(child)
        return len(asked) >= 3

    with Supervisor([entry("a", "sleep")], dict(os.environ), lines, {"a": probe}) as supervisor:
        assert supervisor.wait_healthy(20)
    assert len(asked) == 3


def test_stop_ends_processes_and_their_children_whatever_session_they_are_in(lines: Lines, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    with supervise(lines, entry("a", "family", pids)):
        wait_until(lambda: pids.exists() and len(pids.read_text().split()) == 2)
        family = [ProcessMark.of(int(pid)) for pid in pids.read_text().split()]
        assert all(family)
    for member in family:
        assert member is not None
        assert member.wait(60)


def test_process_that_ignores_sigterm_is_killed_after_the_grace(lines: Lines) -> None:
    with supervise(lines, entry("a", "stubborn")) as supervisor:
        wait_until(lambda: "deaf" in lines.of("a"))
        started = time.monotonic()
        supervisor.stop(grace_s=0.5)
        assert time.monotonic() - started > 0.4
    assert "[did not end in time: killed]" in lines.of("a")


def test_hurry_ends_the_grace_at_once(lines: Lines) -> None:
    with supervise(lines, entry("a", "stubborn")) as supervisor:
        wait_until(lambda: "deaf" in lines.of("a"))
        supervisor.hurry()
        started = time.monotonic()
        supervisor.stop(grace_s=120)
        assert time.monotonic() - started < 60


def test_stopped_process_is_not_started_again(lines: Lines) -> None:
    with supervise(lines, entry("a", "sleep")) as supervisor:
        child = supervisor.children["a"]
        wait_until(lambda: child.running_s() > 0)
    time.sleep(0.7)
    assert child.starts == 1
    assert child.pid is None


def test_program_of_this_virtual_environment_is_found_without_activating_it(lines: Lines) -> None:
    command = Entry("a", ("python", "-c", "import sys; print(sys.executable)"))
    with Supervisor([command], {"PATH": "/usr/bin"}, lines):
        wait_until(lambda: lines.of("a"))
    assert lines.of("a")[0] == str(Path(sys.executable).parent / "python")


def test_delay_before_a_restart_doubles_up_to_half_a_minute() -> None:
    assert [restart_delay(failures) for failures in (1, 2, 3, 6, 7, 8, 1_000)] == [0.5, 1, 2, 16, 30, 30, 30]
