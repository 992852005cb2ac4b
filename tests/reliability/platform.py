"""The whole platform as real processes, to be killed, cut off and restarted: an API, two workers, beat, both servers.

Fault tests and the soak share it. What was down is started again at once, as a supervisor would.
"""

import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
import psycopg
import redis

from tests.reliability import jobs_under_faults
from tests.reliability.system import System
from tests.support.processes import Program, wait_until
from worker import clock
from worker.embedded.postgres import PostgresServer
from worker.embedded.valkey import ValkeyServer
from worker.jobs import ledger
from worker.jobs.definition import Planning
from worker.jobs.pulse import LEADER_LOCK

WORKERS = ("one", "two")
QUEUES = "attempts,default,batch,billing,backups"
"""All that the Procfile's workers take: whatever run the hour of the day brings, somebody does it."""
_CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


class Platform(System):
    """A system with two workers, beat, jobs that leave traces, and a clock that can be moved.

    Args:
        folder: for the clock's file.
        seed: decides what is picked where a fault may hit one of several things.
    """

    def __init__(
        self,
        postgres: PostgresServer,
        valkey: ValkeyServer,
        program: Callable[..., Program],
        folder: Path,
        seed: int = 1,
    ) -> None:
        super().__init__(postgres, valkey, program, valkey.url)
        self.generator = random.Random(seed)
        self.clock_file = folder / "clock"
        self.shift_clock(0)
        environment = {**self.environment, "ELP_TEST_CLOCK_FILE": str(self.clock_file), "REMAP_SIGTERM": "SIGQUIT"}
        launch = ("python", "-m", "tests.reliability.launch")
        self.api = program(*launch, "api", **environment)
        self.workers = {
            name: program(
                *launch, "celery", "-A", "worker.app", "worker", "-Q", QUEUES, "-c", "2",
                "-n", f"{name}-{self.port}@%h", "--without-gossip", "--without-mingle", **environment,
            )
            for name in WORKERS
        }  # fmt: skip
        self.worker = self.workers["one"]
        self.beats = [
            program(*launch, "celery", "-A", "worker.app", "beat", "-S", "redbeat.RedBeatScheduler", "--pidfile=",
                    **environment)
            for _ in range(2)
        ]  # fmt: skip
        with self.connect() as connection:
            connection.execute("CREATE TABLE effects (run_id uuid NOT NULL, n int NOT NULL)")
        self.since = clock.now()

    # --- life ---------------------------------------------------------------------------------------------------------

    def start(self, *, beat: bool = True) -> "Platform":
        self.start_api()
        for name in WORKERS:
            self.workers[name].start()
        if beat:
            self.beats[0].start()
        for name in WORKERS:
            self.wait_worker(name)
        return self

    def wait_worker(self, name: str) -> None:
        worker = self.workers[name]
        wait_until(lambda: " ready." in worker.output(), 90, f"worker {name}")

    def restart_worker(self, name: str) -> None:
        self.workers[name].start()

    def start_what_is_down(self) -> None:
        """Do what a supervisor does: start whatever ended, beat included."""
        for program in (self.api, *self.workers.values(), self.beats[0]):
            if program.process is not None and not program.is_running():
                program.kill()  # what it left behind
                program.start()

    @contextmanager
    def supervised(self) -> Iterator[None]:
        """Keep everything up inside the block."""
        done = threading.Event()

        def keep() -> None:
            while not done.wait(0.2):
                self.start_what_is_down()

        keeper = threading.Thread(target=keep, daemon=True)
        keeper.start()
        try:
            yield
        finally:
            done.set()
            keeper.join(10)

    def stop_everything(self) -> None:
        """Kill every process but the servers."""
        for program in (self.api, *self.workers.values(), *self.beats):
            program.kill()

    # --- faults -------------------------------------------------------------------------------------------------------

    def kill_worker(self) -> None:
        self.workers[self.generator.choice(WORKERS)].kill()

    def kill_child(self) -> bool:
        """Kill one process of a worker's pool, as the kernel's out-of-memory killer does."""
        children = [child for worker in self.workers.values() if worker.is_running() for child in _children(worker.pid)]
        if not children:
            return False
        with suppress(psutil.NoSuchProcess):
            self.generator.choice(children).kill()
        return True

    def leader(self) -> str | None:
        """Return the worker whose pulse leads."""
        with self.connect() as connection:
            row = connection.execute(
                "SELECT activity.client_port FROM pg_locks JOIN pg_stat_activity AS activity USING (pid)"
                " WHERE locktype = 'advisory' AND granted AND classid::bigint = %s AND objid::bigint = %s",
                LEADER_LOCK,
            ).fetchone()
        for name, worker in self.workers.items():
            if row is not None and worker.is_running() and row[0] in _ports(worker.pid):
                return name
        return None

    def kill_leader(self) -> bool:
        name = self.leader()
        if name is not None:
            self.workers[name].kill()
        return name is not None

    def deploy(self) -> None:
        """Ask a worker to end, as a deploy does; the supervisor starts the new one."""
        worker = self.workers[self.generator.choice(WORKERS)]
        if worker.is_running():
            os.kill(worker.pid, signal.SIGTERM)

    def cut_connections(self, times: int = 1) -> None:
        for _ in range(times):
            with suppress(psycopg.OperationalError), self.connect() as connection:
                connection.execute(_CUT)
            time.sleep(0.2)

    def flush_redis(self) -> None:
        with suppress(redis.ConnectionError), redis.Redis.from_url(self.valkey.url) as client:
            client.flushall()

    @contextmanager
    def redis_down(self) -> Iterator[None]:
        self.valkey.kill()
        try:
            yield
        finally:
            self.valkey.start()

    @contextmanager
    def redis_full(self) -> Iterator[None]:
        """Have Redis refuse every write for want of memory."""
        with redis.Redis.from_url(self.valkey.url) as client:
            client.config_set("maxmemory-policy", "noeviction")
            client.config_set("maxmemory", "1mb")
            try:
                yield
            finally:
                client.config_set("maxmemory", "0")

    @contextmanager
    def redis_disk_full(self) -> Iterator[None]:
        """Have Redis refuse every write (MISCONF), since the folder it saves to takes no file; root or not."""
        data = self.valkey.home / "data"
        owner = data.stat()
        with redis.Redis.from_url(self.valkey.url) as client:
            client.config_set("save", "3600 1")
            shutil.rmtree(data)
            try:
                _fail_to_save(client)
                yield
            finally:
                data.mkdir()
                os.chown(data, owner.st_uid, owner.st_gid)
                client.config_set("save", "")

    def now(self) -> datetime:
        """Return the present instant by the platform's own clock."""
        return clock.now() + timedelta(seconds=self.ahead_s)

    def shift_clock(self, seconds: float) -> None:
        """Put the platform's clock ahead of the machine's by so many seconds."""
        self.ahead_s = seconds
        self.clock_file.write_text(str(seconds), encoding="ascii")

    # --- runs ---------------------------------------------------------------------------------------------------------

    def plan(self, name: str, **parameters: Any) -> UUID:
        """Plan a run in one transaction, as `start_run` does; nobody is told: finding it is the pulse's work."""
        now = clock.now()
        with self.connect() as connection, connection.transaction():
            run_id = ledger.open_run(connection, name, now, trigger="manual", parameters=parameters, now=now)
            assert run_id is not None
            bounds = jobs_under_faults.plan(Planning(connection, now, parameters))
            ledger.add_shards(connection, run_id, bounds, now)
        return run_id

    def state(self, run_id: UUID) -> str:
        with self.connect() as connection:
            row = connection.execute("SELECT state FROM job_runs WHERE id = %s", (run_id,)).fetchone()
        assert row is not None
        return str(row[0])

    def wait_finished(self, run_id: UUID, timeout_s: float = 60) -> str:
        wait_until(lambda: self.state(run_id) not in ("planned", "running"), timeout_s, f"the end of run {run_id}")
        return self.state(run_id)

    def wait_state(self, run_id: UUID, state: str, timeout_s: float = 30) -> None:
        wait_until(lambda: self.state(run_id) == state, timeout_s, f"{state} as the state of run {run_id}")


def _children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children()
    except psutil.NoSuchProcess:
        return []


def _ports(pid: int) -> set[int]:
    try:
        return {int(held.laddr.port) for held in psutil.Process(pid).net_connections("tcp") if held.laddr}
    except psutil.NoSuchProcess:
        return set()


def _fail_to_save(client: redis.Redis) -> None:
    with suppress(redis.ResponseError):
        client.bgsave()
    wait_until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err", 90, "a failed save")
