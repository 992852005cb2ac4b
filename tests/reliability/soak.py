"""`make soak ARGS="--minutes 60 --seed 7"`: random faults against the whole platform under load, then the balance.

Real processes (an API, two workers, beat, PostgreSQL, Valkey), clients that send attempts all the time, jobs that run
each minute and runs by hand each second. At the end everything is healed, and what the platform promises is checked.
"""

import argparse
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psycopg
import redis
from rich.console import Console
from rich.table import Table

from tests.reliability import jobs_under_faults
from tests.reliability.books import assert_nothing_lost, assert_nothing_twice
from tests.reliability.platform import Platform
from tests.reliability.runs import (
    Checked,
    assert_nobody_holds_on,
    assert_runs_are_sound,
    due_periods,
    wait_until_all_ran,
)
from tests.support.processes import Program, wait_until
from worker.db.schema import migrate
from worker.embedded.postgres import PostgresServer
from worker.embedded.valkey import ValkeyServer

_HEAL_S = 240.0
"""What the platform gets to finish everything once the faults have ended."""
_out = Console()


@dataclass(frozen=True)
class Fault:
    """A way to hurt the platform; heavier ones are picked less often."""

    name: str
    weight: float
    inflict: Callable[[Platform], object]


def _redis_down(platform: Platform) -> None:
    with platform.redis_down():
        time.sleep(platform.generator.uniform(0.2, 6))


def _redis_restart(platform: Platform) -> None:
    platform.valkey.restart()


def _redis_full(platform: Platform) -> None:
    with platform.redis_full():
        time.sleep(platform.generator.uniform(1, 4))


def _redis_disk(platform: Platform) -> None:
    with platform.redis_disk_full():
        time.sleep(platform.generator.uniform(1, 4))


def _postgres_kill(platform: Platform) -> None:
    platform.postgres.kill()
    time.sleep(platform.generator.uniform(0, 2))
    platform.postgres.start()


def _two_beats(platform: Platform) -> None:
    platform.beats[1].start()
    time.sleep(platform.generator.uniform(3, 6))
    platform.beats[1].kill()


def _clock_jump(platform: Platform) -> None:
    platform.shift_clock(platform.generator.choice([-7_200, -90, 90, 7_200]))
    time.sleep(platform.generator.uniform(0.5, 4))
    platform.shift_clock(0)


def _downtime(platform: Platform) -> None:
    for program in (platform.api, *platform.workers.values(), platform.beats[0]):
        program.kill()


FAULTS = (
    Fault("kill -9 of a pool process", 10, Platform.kill_child),
    Fault("kill -9 of a worker", 2, Platform.kill_worker),
    Fault("kill -9 of the pulse's leader", 2, Platform.kill_leader),
    Fault("kill -9 of beat", 1.5, lambda platform: platform.beats[0].kill()),
    Fault("kill -9 of the API", 2, lambda platform: platform.api.kill()),
    Fault("kill -9 of everything but the servers", 0.5, _downtime),
    Fault("deploy (SIGTERM to a worker)", 1, Platform.deploy),
    Fault("PostgreSQL connections cut", 4, lambda platform: platform.cut_connections(1)),
    Fault("PostgreSQL connections cut, a stream", 1, lambda platform: platform.cut_connections(10)),
    Fault("PostgreSQL restarted", 1, lambda platform: platform.postgres.restart()),
    Fault("PostgreSQL kill -9", 1, _postgres_kill),
    Fault("FLUSHALL", 4, Platform.flush_redis),
    Fault("Redis kill -9, down for up to 6 s", 1, _redis_down),
    Fault("Redis restarted", 1, _redis_restart),
    Fault("Redis out of memory", 1, _redis_full),
    Fault("Redis without a disk", 0.7, _redis_disk),
    Fault("a second beat", 0.5, _two_beats),
    Fault("the clock jumps and returns", 1, _clock_jump),
)


class Soak:
    """One soak."""

    def __init__(self, platform: Platform, seconds: float, seed: int) -> None:
        self.platform = platform
        self.seconds = seconds
        self.generator = random.Random(seed)
        self.inflicted: Counter[str] = Counter()
        self.planned: Counter[str] = Counter()

    def run(self) -> None:
        """Hurt the platform until the time is up."""
        ends_at = time.monotonic() + self.seconds
        planner = threading.Thread(target=self._plan_runs, args=(ends_at,), daemon=True)
        planner.start()
        said_at = time.monotonic()
        while time.monotonic() < ends_at:
            time.sleep(self.generator.uniform(0.1, 1.2))
            [fault] = self.generator.choices(FAULTS, [fault.weight for fault in FAULTS])
            # The fault's own look at the platform may meet the fault before it.
            with suppress(psycopg.OperationalError, redis.RedisError, TimeoutError):
                if fault.inflict(self.platform) is not False:
                    self.inflicted[fault.name] += 1
            if time.monotonic() - said_at > 30:
                said_at = time.monotonic()
                left = max(0, round(ends_at - said_at))
                accepted = len(self.platform.sent.promised)
                _out.print(f"{self.inflicted.total()} faults, {accepted:,} attempts accepted, {left} s left")
        planner.join(30)

    def _plan_runs(self, ends_at: float) -> None:
        number = 0
        while time.monotonic() < ends_at:
            number += 1
            name = {0: jobs_under_faults.KILLER, 10: jobs_under_faults.POISONED}.get(
                number % 30, jobs_under_faults.BY_HAND
            )
            with suppress(psycopg.OperationalError):
                self.platform.plan(name, shards=4, seconds=0.1)
                self.planned[name] += 1
            time.sleep(2)


@contextmanager
def platform_of_its_own(folder: Path, seed: int) -> Iterator[Platform]:
    """Start servers and processes; all are gone at the end."""
    programs: list[Program] = []

    def program(*command: str, **environment: str) -> Program:
        programs.append(Program(command, folder / f"program{len(programs)}.log", environment))
        return programs[-1]

    settings = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "64MB", "max_connections": "200"}
    postgres = PostgresServer(folder / "postgres", settings=settings, tethered=True)
    valkey = ValkeyServer(folder / "valkey", tethered=True)
    with postgres, valkey:
        migrate(postgres.url)
        platform = Platform(postgres, valkey, program, folder, seed)
        try:
            yield platform
        finally:
            for started in programs:
                started.kill()


def heal_and_check(platform: Platform) -> tuple[Checked, int]:
    """Wait until all is done, and check everything; return what was covered, and how many attempts."""
    platform.start_what_is_down()
    due = due_periods(platform.since + timedelta(minutes=1), platform.now())
    wait_until_all_ran(platform.connect, due, _HEAL_S)
    platform.assert_books_balance(_HEAL_S)
    wait_until(lambda: _open_runs(platform) == 0 or platform.now().second > 5, 90)
    with platform.connect() as connection:
        checked = assert_runs_are_sound(connection, due)
        assert_nobody_holds_on(connection)
        assert_nothing_lost(connection, platform.sent)
        assert_nothing_twice(connection)
    return checked, len(platform.sent.promised)


def _open_runs(platform: Platform) -> int:
    with platform.connect() as connection:
        row = connection.execute("SELECT count(*) FROM job_runs WHERE state IN ('planned', 'running')").fetchone()
    assert row is not None
    return int(row[0])


def report(soak: Soak, checked: Checked, attempts: int) -> None:
    faults = Table(title="faults injected", title_justify="left")
    faults.add_column("kind")
    faults.add_column("times", justify="right")
    for fault in FAULTS:
        faults.add_row(fault.name, f"{soak.inflicted[fault.name]:,}")
    for name in (jobs_under_faults.KILLER, jobs_under_faults.POISONED):
        faults.add_row(f"a poison shard ({name})", f"{soak.planned[name]:,}")
    poison = soak.planned[jobs_under_faults.KILLER] + soak.planned[jobs_under_faults.POISONED]
    faults.add_section()
    faults.add_row("all", f"{soak.inflicted.total() + poison:,}")
    _out.print(faults)
    table = Table(title="what was checked, and holds", title_justify="left")
    table.add_column("promise")
    table.add_column("over", justify="right")
    table.add_row("each due period of a job has exactly one run, and it succeeded", f"{checked.periods:,} periods")
    table.add_row("every run has ended; no session holds on to a transaction", f"{checked.runs:,} runs")
    table.add_row("each shard done left one effect, every other none", f"{checked.shards:,} shards")
    table.add_row("effects counted", f"{checked.effects:,}")
    table.add_row("each attempt accepted with 202 is graded or rejected, once", f"{attempts:,} attempts")
    table.add_row("cards, progress and statistics equal one pass over the attempts", f"{attempts:,} attempts")
    table.add_row("requests that had to be repeated (no answer, or 503)", f"{soak.platform.sent.interruptions:,}")
    _out.print(table)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument(
        "--seed", type=int, default=None, help="faults and their order (their effects race all the same)"
    )
    parser.add_argument("--keep", type=Path, default=None, help="folder for logs and data, left behind")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1_000_000)
    _out.print(f"soak of {options.minutes:g} minutes, seed {seed}")
    with _folder(options.keep) as folder, platform_of_its_own(folder, seed) as platform:
        # A load that leaves the faults some of the processor, for hours: about a million attempts until the present.
        platform.history_days, platform.longest_step_min, platform.pause_s = 900, 40, 0.1
        platform.start()
        soak = Soak(platform, options.minutes * 60, seed)
        try:
            with platform.supervised():
                with platform.load():
                    soak.run()
                checked, attempts = heal_and_check(platform)
        except (AssertionError, TimeoutError) as error:
            _out.print(f"[bold red]broken[/] after {soak.inflicted.total()} faults, seed {seed}: {error}", markup=True)
            _out.print(dict(soak.inflicted))
            for program in (platform.api, *platform.workers.values()):
                _out.print(f"--- {program.log}\n{program.output()[-3_000:]}", markup=False)
            return 1
    report(soak, checked, attempts)
    return 0


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="elp-soak-", ignore_cleanup_errors=True) as name:
        if os.geteuid() == 0:
            Path(name).chmod(0o711)  # the servers' account passes through
        yield Path(name)


if __name__ == "__main__":
    sys.exit(main())
