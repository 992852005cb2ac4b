"""Backups beside plain `pg_basebackup`, `cp` of the data directory and Barman: throughput, incremental size, restore.

A database of rows that compress as the product's do (ids that don't, words that do), on a disk with fsync on; all read
from the page cache. What is measured in a round, in turns:

* backup: ours compresses, encrypts, hashes and ends with counts and hashes of the tables for its later proof; plain
  `pg_basebackup` and `cp` (with `sync`) leave plain files; Barman drives pg_basebackup and fetches the log it needs;
* restore, until a server answers: ours; `cp` of the same files; `barman recover` and the same server on its files;
* draining attempts (the machinery of benchmarks/drain.py) with and without a backup running beside it.

Rates are MB of data a second. The files are below TMPDIR (`--directory`): a disk, or the figures mean nothing.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path

import psycopg
from pydantic import SecretStr

from benchmarks import drain
from benchmarks.backups_barman import Barman, barman, missing
from benchmarks.report import Figure, Report, measured
from worker import logging
from worker.backups.chains import LATEST
from worker.backups.codec import new_key
from worker.backups.entry import Entry
from worker.backups.programs import Programs, connection_of, programs_for
from worker.backups.taking import take
from worker.backups.verifying import restore
from worker.db.engines import libpq_url
from worker.embedded.postgres import DATABASE, USER
from worker.settings import Settings, get_settings

_MB = 1_000_000
_ROWS_A_BLOCK = 400_000
_BYTES_A_ROW = 125
"""In the table, about."""
_INCREMENTAL_SHARE = 0.05
_RATES = ("ours", "plain", "copied", "barman", "restored", "recopied", "recovered")


def run(report: Report, *, quick: bool = False) -> None:
    """Measure and add the figures; `quick` is small, for the shape of the output only."""
    megabytes, rounds = (250, 2) if quick else (5_000, 3)
    attempts, learners, drains = (4_000, 200, 2) if quick else (60_000, 4_000, 5)
    base = get_settings()
    logging.configure("benchmarks", base.model_copy(update={"log_level": "WARNING"}))
    url = libpq_url(base.required_database_url())
    plan = drain.prepare(learners, attempts)  # before the volume: its small tables are a part of it
    data = _fill(url, megabytes)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="elp-bench-")))
        folder.chmod(0o711)
        settings = base.model_copy(
            update={"backup_repository": str(folder / "repository"), "backup_key": SecretStr(new_key()[0])}
        )
        programs = _programs(base)
        reason = missing()
        if reason is not None:
            report.note(f"{reason}: not compared")
        other = stack.enter_context(barman(folder / "barman", url, programs)) if reason is None else None
        rates: dict[str, list[float]] = {name: [] for name in _RATES}
        for _ in range(rounds):
            shutil.rmtree(folder / "repository", ignore_errors=True)
            size, full = _round(settings, programs, data, folder, other, rates)
        _compare(report, rates, demands=not quick)
        _change_one_percent(url)
        small = take(settings, "incremental")
        _incremental(report, full, small, size, demands=not quick)
        with_one, without = _drained(settings, plan, drains)
    report.add(
        Figure(
            "drain while backups are made, limit: without one",
            "attempts/s",
            measured(with_one),
            measured(without),
            least_of_limit=None if quick else 0.85,
        )
    )


def _round(
    settings: Settings,
    programs: Programs,
    data: Path,
    folder: Path,
    other: Barman | None,
    rates: dict[str, list[float]],
) -> tuple[float, Entry]:
    """Measure each way once; return the data's size in MB and our backup."""
    copy, back = folder / "copy", folder / "back"
    size = _megabytes(data)

    def add(name: str, megabytes: float, seconds: float) -> None:
        rates[name].append(megabytes / seconds)
        print(f"  {name}: {seconds:.2f} s, {megabytes / seconds:,.0f} MB/s", file=sys.stderr, flush=True)

    add("plain", size, _seconds(lambda: _basebackup(settings, programs, copy)))
    shutil.rmtree(copy)
    add("copied", size, _seconds(lambda: _copy(data, copy)))
    shutil.rmtree(copy)
    if other is not None:
        add("barman", size, _seconds(other.backup))
    began = time.perf_counter()
    full = take(settings, "full")
    add("ours", size, time.perf_counter() - began)
    _settle(folder)
    done = restore(settings, back, LATEST, label=full.label)
    _settle(folder)
    files = _megabytes(back)
    add("restored", files, done.restore_ms / 1_000)
    add("recopied", files, _seconds(lambda: _copy(back, copy)))
    shutil.rmtree(copy)
    shutil.rmtree(back)
    if other is not None:
        _settle(folder)
        add("recovered", files, other.restore(back, superuser=USER, database=DATABASE))
        shutil.rmtree(back)
        other.forget()
    _settle(folder)
    return size, full


def _compare(report: Report, rates: dict[str, list[float]], *, demands: bool) -> None:
    found = {name: measured(values) if values else None for name, values in rates.items()}
    ours, restored = found["ours"], found["restored"]
    assert ours is not None
    assert restored is not None
    at_least = 0.8 if demands else None
    report.add(
        Figure(
            "full backup, limit: pg_basebackup, usual: Barman", "MB/s", ours, found["plain"], found["barman"], at_least
        )
    )
    report.add(Figure("full backup, limit: cp of the data directory", "MB/s", ours, found["copied"]))
    at_least = 0.7 if demands else None
    report.add(
        Figure(
            "restore until it answers, limit: cp, usual: Barman",
            "MB/s",
            restored,
            found["recopied"],
            found["recovered"],
            at_least,
        )
    )


def _incremental(report: Report, full: Entry, small: Entry, size: float, *, demands: bool) -> None:
    share = small.stored_bytes / full.stored_bytes
    report.add(
        Figure(
            "full backup's bytes for one of an incremental after 1 %",
            "bytes",
            measured([1 / share]),
            enough=1 / _INCREMENTAL_SHARE if demands else None,
        )
    )
    report.note(
        f"{size:,.0f} MB of data, stored as {full.stored_bytes / _MB:,.0f} MB; {small.kind} after 1 % of the "
        f"rows changed: {small.stored_bytes / _MB:,.1f} MB, {100 * share:.1f} % of the full one"
    )


def _drained(settings: Settings, plan: list[dict[str, object]], rounds: int) -> tuple[list[float], list[float]]:
    """Return rates of draining the attempts while backups are made, and without, in turns."""
    rates: dict[bool, list[float]] = {True: [], False: []}
    for number in range(2 * rounds + 1):
        busy = number % 2 == 1
        drain.clear()
        drain.fill_inbox(plan)
        with _backups(settings) if busy else nullcontext():
            began = time.perf_counter()
            graded = drain.drain_all()
            rate = graded / (time.perf_counter() - began)
        assert graded == len(plan)
        print(f"  drained {'beside a backup' if busy else 'alone'}: {rate:,.0f}/s", file=sys.stderr, flush=True)
        if number:  # the first one warms up
            rates[busy].append(rate)
    return rates[True], rates[False]


@contextmanager
def _backups(settings: Settings) -> Iterator[None]:
    """Have a process make full backups meanwhile, one after the other, as `backup-worker` of the Procfile would."""
    assert settings.backup_key is not None
    environment = {
        **os.environ,
        "ELP_DATABASE_URL": settings.required_database_url(),
        "ELP_BACKUP_REPOSITORY": f"{settings.backup_repository}-drain",
        "ELP_BACKUP_KEY": settings.backup_key.get_secret_value(),
    }
    command = ["nice", "-n", "10", sys.executable, "-m", "benchmarks.backups"]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        with psycopg.connect(libpq_url(settings.required_database_url()), autocommit=True) as connection:
            while connection.execute("SELECT FROM pg_stat_replication WHERE state = 'backup'").fetchone() is None:
                assert process.poll() is None, "no backup is made"
                time.sleep(0.01)
        yield
        assert process.poll() is None, "backups are made to the end"
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(f"{settings.backup_repository}-drain", ignore_errors=True)


def _programs(settings: Settings) -> Programs:
    with psycopg.connect(libpq_url(settings.required_database_url())) as connection:
        return programs_for(connection.info.server_version // 10_000, settings)


def _fill(url: str, megabytes: int) -> Path:
    """Fill two tables, one three times as large as the other, and return the data directory.

    Rows are made once and COPYed in again and again (frozen, so that no vacuum writes everything once more): what
    repeats does so beyond the reach of the compression.
    """
    blocks = max(4, round(megabytes * _MB / _BYTES_A_ROW / _ROWS_A_BLOCK))
    rows = round(megabytes * _MB / _BYTES_A_ROW / blocks)
    made = (
        "SELECT gen_random_uuid() AS id, gen_random_uuid() AS user_id, number,"
        " timestamptz '2026-01-01' + number * interval '1 second' AS at, number % 7 = 0 AS correct,"
        " '{\"choice\": \"' || chr(97 + (number % 4)::int) || '\"}' AS answer"
        f" FROM generate_series(1, {rows}) AS number"
    )
    with psycopg.connect(url, autocommit=True) as connection:
        with connection.cursor().copy(f"COPY ({made}) TO STDOUT (FORMAT binary)") as source:
            block = b"".join(bytes(part) for part in source)
        header, trailer = block[:19], block[-2:]
        for table, times in (("bench_attempts", blocks - blocks // 4), ("bench_cards", blocks // 4)):
            with connection.transaction():
                connection.execute(f"CREATE TABLE {table} AS {made} WITH NO DATA")
                with connection.cursor().copy(f"COPY {table} FROM STDIN (FORMAT binary, FREEZE)") as target:
                    target.write(header)
                    for _ in range(times):
                        target.write(block[19:-2])
                    target.write(trailer)
            connection.execute(f"ANALYZE {table}")
        connection.execute("CHECKPOINT")
        row = connection.execute("SHOW data_directory").fetchone()
        assert row is not None
        return Path(row[0])


def _change_one_percent(url: str) -> None:
    """Change the rows of the first hundredth of each table's blocks."""
    with psycopg.connect(url, autocommit=True) as connection:
        for table in ("bench_attempts", "bench_cards"):
            connection.execute(
                f"UPDATE {table} SET correct = NOT correct WHERE ctid < format('(%s,0)',"
                f" (pg_relation_size('{table}') / current_setting('block_size')::int / 100)::text)::tid"
            )


def _basebackup(settings: Settings, programs: Programs, target: Path) -> None:
    """Copy with pg_basebackup as it comes: plain files, the log it needs, forced to the disk at the end."""
    name, secret = connection_of(settings.required_database_url(), "bench")
    programs.run("pg_basebackup", "-d", name, "-D", str(target), "-X", "fetch", "-c", "fast", environment=secret)


def _copy(source: Path, target: Path) -> None:
    """Copy all but the write-ahead log, of which the others take only what they need."""
    target.mkdir()
    parts = [str(path) for path in source.iterdir() if path.name != "pg_wal"]
    done = subprocess.run(["cp", "-a", *parts, str(target)], check=False)
    assert done.returncode in {0, 1}, "1: a running server's caches (pg_internal.init) may go while they are copied"
    _settle(target)


def _settle(folder: Path) -> None:
    """Have what was written on the disk: nothing of one measurement is left to the next."""
    subprocess.run(["sync", "-f", str(folder)], check=True)


def _megabytes(folder: Path) -> float:
    """Return the size of all but the write-ahead log."""
    paths = (path for path in folder.rglob("*") if path.is_file() and "pg_wal" not in path.parts)
    return sum(path.stat().st_size for path in paths) / _MB


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":  # the other process of `_backups`
    while True:
        take(get_settings(), "full", max_rate_mb=get_settings().backup_max_rate_mb)
