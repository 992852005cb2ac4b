"""Virtual time: one clock for the whole process, and nobody who reads another."""

import re
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from freezegun import freeze_time

from tests.support.processes import ROOT
from worker import clock
from worker.clock import TimeRunsForwardError, travelling
from worker.ids import uuid7

START = datetime(2028, 2, 28, 23, 59, tzinfo=UTC)

OTHER_CLOCKS = re.compile(
    r"""\btime\.time(_ns)?\(|\bdatetime\.(now|utcnow|today)\(|\bdate\.today\(
        |\bfrom\ time\ import\ .*\btime\b
        |\bnow\(\)(?<!clock\.now\(\))|\b(clock|statement|transaction)_timestamp\(\)
        |\b(current_timestamp|current_date|localtimestamp)\b""",
    re.VERBOSE | re.IGNORECASE,
)
ALLOWED = {
    ("worker/clock.py", "datetime.now("): "the one reader",
    ("worker/simulate/database.py", "CURRENT_TIMESTAMP"): "looks for it in defaults, to replace it",
    (
        "worker/jobs/queries/depose_silent_leader.sql",
        "clock_timestamp()",
    ): "compares with the server's own state_change",
    ("worker/metrics/queries/pulse.sql", "clock_timestamp()"): "is compared with this machine's clock",
    ("worker/tryouts/score.py", "now()"): "a parameter, `worker.clock.now` unless a test says otherwise",
    ("worker/api/limits.py", "time.time("): "is compared with what the library of limits counts by",
    ("worker/backups/drills.py", "now()"): "a parameter, `worker.clock.now` unless a test says otherwise",
    ("worker/backups/pruning.py", "now()"): "a parameter, `worker.clock.now` unless a test says otherwise",
    ("worker/backups/taking.py", "now()"): "a parameter, `worker.clock.now` unless a test says otherwise",
    ("worker/backups/verifying.py", "now()"): "a parameter, `worker.clock.now` unless a test says otherwise",
    ("worker/backups/drills.py", "clock_timestamp()"): "recovery stops at an instant of the server's clock",
    ("worker/backups/taking.py", "clock_timestamp()"): "recovery stops at an instant of the server's clock",
    ("worker/backups/queries/server.sql", "clock_timestamp()"): "is compared with this machine's clock",
    ("worker/billing/sandbox/store.py", "now()"): "its own clock, given when it is made",
    ("worker/billing/sandbox/pushing.py", "time.time("): "Stripe's SDK compares signatures with this clock",
    ("worker/simulate/billing_gateways.py", "time.time("): "Stripe's SDK compares signatures with this clock",
    ("worker/db/queries/connections.sql", "clock_timestamp()"): "compares with the server's own xact_start",
}
"""Where another clock is right, and why."""


def readers_of_other_clocks() -> dict[tuple[str, str], list[str]]:
    """Return what reads another clock in worker/ and tasks/, by file and expression; defaults of columns are data."""
    found: dict[tuple[str, str], list[str]] = {}
    for path in sorted([*ROOT.glob("worker/**/*.py"), *ROOT.glob("worker/**/*.sql"), *ROOT.glob("tasks/**/*.py")]):
        name = str(path.relative_to(ROOT))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            code = re.sub(r"--.*" if path.suffix == ".sql" else r"#.*", "", line)
            for match in OTHER_CLOCKS.finditer(code):
                if not is_harmless(Path(name), code, match):
                    found.setdefault((name, match[0]), []).append(f"{name}:{number}: {line.strip()}")
    return found


def is_harmless(path: Path, code: str, match: re.Match[str]) -> bool:
    in_docs = code.count("`", 0, match.start()) % 2 == 1
    is_default = path.parts[:2] == ("worker", "models") and 'text("now()")' in code
    is_clock = path.name == "clock.py" and code.startswith("def now(")
    return in_docs or is_default or is_clock


def test_nobody_reads_another_clock() -> None:
    found = readers_of_other_clocks()
    assert [line for key, lines in found.items() if key not in ALLOWED for line in lines] == []
    assert ALLOWED.keys() - found.keys() == set(), "no longer there: take it off the list"


def test_now_is_the_machines_clock_outside_of_virtual_time() -> None:
    with freeze_time("2026-11-24 12:00:00"):
        assert clock.now() == datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_virtual_time_stands_still_until_it_is_moved() -> None:
    with travelling(START) as virtual:
        assert clock.now() == clock.now() == START
        virtual.move_to(START + timedelta(minutes=2))
        assert clock.now() == datetime(2028, 2, 29, 0, 1, tzinfo=UTC)
    assert clock.now() != START


def test_every_thread_lives_in_the_same_virtual_time() -> None:
    seen: list[datetime] = []
    with travelling(START):
        thread = threading.Thread(target=lambda: seen.append(clock.now()))
        thread.start()
        thread.join()
    assert seen == [START]


def test_virtual_time_is_utc_whatever_it_is_given() -> None:
    with travelling(START.astimezone(timezone(timedelta(hours=7)))) as virtual:
        assert clock.now().tzinfo is UTC
        virtual.move_to(START.astimezone(timezone(timedelta(hours=-3))))
        assert clock.now().tzinfo is UTC


@pytest.mark.parametrize("wanted", [START - timedelta(microseconds=1), START.replace(tzinfo=None)])
def test_virtual_time_refuses_to_go_back_or_without_a_zone(wanted: datetime) -> None:
    with travelling(START) as virtual, pytest.raises((TimeRunsForwardError, TypeError)):
        virtual.move_to(wanted)
    with travelling(START) as virtual, pytest.raises(TimeRunsForwardError):
        virtual.move_to(wanted)


def test_virtual_times_nest() -> None:
    with travelling(START):
        with travelling(START + timedelta(days=1)):
            assert clock.now() == START + timedelta(days=1)
        assert clock.now() == START


def test_an_error_ends_virtual_time() -> None:
    with pytest.raises(ZeroDivisionError), travelling(START):
        _ = 1 // 0
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=1)


def test_identifiers_carry_virtual_time() -> None:
    with travelling(START):
        assert uuid7().int >> 80 == int(START.timestamp() * 1_000)
