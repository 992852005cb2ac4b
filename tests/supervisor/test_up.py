"""`elp up` as an operator sees it: real processes in a terminal's place."""

import base64
import re
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.processes import ROOT, Program, wait_until
from worker.embedded import manager
from worker.settings import Settings

pytestmark = pytest.mark.processes

ELP = str(Path(sys.executable).parent / "elp")
FAKE = f"{sys.executable} {ROOT}/tests/supervisor/programs.py"


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "elp"
    yield folder
    manager.stop(Settings(data_dir=folder), force=True)


@pytest.fixture
def up(program: Callable[..., Program], data_dir: Path, tmp_path: Path) -> Callable[..., Program]:
    """Prepare `elp up` for a Procfile of these lines; without any, for the product's."""

    def prepare(*lines: str, options: str = "", **environment: str) -> Program:
        procfile = ROOT / "Procfile"
        if lines:
            procfile = tmp_path / "Procfile"
            procfile.write_text("\n".join(lines))
        command = (ELP, "up", "--procfile", str(procfile), *options.split())
        return program(*command, ELP_DATA_DIR=str(data_dir), **environment)

    return prepare


def descendants(data_dir: Path) -> list[int]:
    """Return the ids of all processes that were started with this data folder, whoever their parent is by now."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("ELP_DATA_DIR") == str(data_dir) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def servers_running(data_dir: Path) -> list[bool]:
    return [server.pid is not None for server in manager.status(Settings(data_dir=data_dir))]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_stops_everything_in_order_and_nothing_is_left(
    up: Callable[..., Program], data_dir: Path, tmp_path: Path, number: signal.Signals
) -> None:
    running = up(f"one: {FAKE} sleep", f"two: {FAKE} family {tmp_path}/pids")
    running.start(ready=lambda: "one, two: healthy" in running.output())
    assert servers_running(data_dir) == [True, True]
    assert running.process is not None
    running.process.send_signal(number)
    assert running.process.wait(90) == 0
    assert descendants(data_dir) == []
    assert servers_running(data_dir) == [False, False]
    assert re.search(r"^one \| sleep started$", running.output(), re.MULTILINE)
    assert "\x1b" not in running.output()  # not a terminal


def test_killed_supervisor_takes_its_processes_along_and_leaves_servers_to_be_stopped(
    up: Callable[..., Program], program: Callable[..., Program], data_dir: Path
) -> None:
    running = up(f"one: {FAKE} sleep").start()
    wait_until(lambda: "healthy" in running.output())
    assert running.process is not None
    running.process.kill()
    running.process.wait()
    wait_until(lambda: descendants(data_dir) == [], what="the end of all processes")
    assert servers_running(data_dir) == [True, True]
    stop = program(ELP, "servers", "stop", ELP_DATA_DIR=str(data_dir)).start()
    wait_until(lambda: not stop.is_running())
    assert "stopped PostgreSQL and Valkey" in stop.output()
    assert servers_running(data_dir) == [False, False]


def test_process_that_does_not_get_healthy_is_named_and_all_are_stopped(
    up: Callable[..., Program], data_dir: Path
) -> None:
    running = up(f"good: {FAKE} sleep", f"bad: {FAKE} crash", options="--timeout 10").start()
    assert running.process is not None
    assert running.process.wait(90) == 2
    assert "elp: not healthy after 10 s: bad (last exit code 3" in running.output()
    assert "Traceback" not in running.output()
    assert descendants(data_dir) == []
    assert servers_running(data_dir) == [False, False]


def test_missing_secrets_are_named_before_anything_starts(up: Callable[..., Program], data_dir: Path) -> None:
    running = up().start()
    assert running.process is not None
    assert running.process.wait(90) == 2
    assert running.output().startswith("elp: ELP_API_TOKEN and ELP_FLOWER_AUTH are not set")
    assert not data_dir.exists()


def test_database_that_is_not_embedded_is_never_migrated_unasked(
    up: Callable[..., Program], maintenance_url: str, redis_url: str
) -> None:
    running = up(f"one: {FAKE} sleep", ELP_DATABASE_URL=maintenance_url, ELP_REDIS_URL=redis_url).start()
    assert running.process is not None
    assert running.process.wait(90) == 2
    assert re.search(r"schema is missing, not \d+: run `elp migrate`", running.output())


def test_whole_platform_gets_healthy_answers_and_goes(up: Callable[..., Program], data_dir: Path) -> None:
    running = up(options="--demo-secrets", ELP_API_PORT="0", ELP_FLOWER_PORT="0")
    running.shows_addresses = True
    running.start(ready=lambda: "flower: healthy" in running.output(), timeout_s=90)
    said = running.output()
    assert status(shown(said, "API docs")) == 200
    assert status(shown(said, "Flower")) == 401
    assert status(shown(said, "Flower"), shown(said, "Flower login")) == 200
    assert running.process is not None
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(90) == 0
    assert "killed" not in running.output()
    assert descendants(data_dir) == []
    assert servers_running(data_dir) == [False, False]


def test_configuration_that_celery_reads_is_the_checkouts(program: Callable[..., Program]) -> None:
    script = (
        "import sys; sys.path.pop(0); from importlib.util import find_spec; print(find_spec('celeryconfig').origin)"
    )
    reader = program(sys.executable, "-c", script, ELP_REDIS_URL="redis://cache/0").start()
    wait_until(lambda: not reader.is_running())
    assert reader.output().strip() == str(ROOT / "celeryconfig.py")


def shown(output: str, what: str) -> str:
    """Return what the summary says beside `what`."""
    found = re.search(rf"{what}  +(\S+)", output)
    assert found is not None
    return found[1]


def status(url: str, login: str | None = None) -> int:
    request = urllib.request.Request(url)
    if login:
        request.add_header("Authorization", f"Basic {base64.b64encode(login.encode()).decode()}")
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
