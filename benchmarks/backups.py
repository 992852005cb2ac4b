"""Backups beside plain `pg_basebackup` and `cp` of the data directory: throughput, incremental size, restore.

A database of rows that compress as the product's do (ids that don't, words that do), on a disk with fsync on; all from
the page cache. Ours compresses, encrypts, hashes, and counts and hashes the tables for its later proof; the others only
copy. Rates are MB of data a second.
"""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from pydantic import SecretStr

from benchmarks.report import Figure, Report, measured
from worker.backups.chains import LATEST
from worker.backups.codec import new_key
from worker.backups.programs import connection_of, programs_for
from worker.backups.taking import take
from worker.backups.verifying import restore
from worker.db.engines import libpq_url
from worker.settings import Settings, get_settings

_MB = 1_000_000
_ROWS_A_MB = 8_000


def run(report: Report, *, quick: bool = False) -> None:
    """Measure and add the figures; `quick` is small, for the shape of the output only."""
    megabytes, rounds = (150, 1) if quick else (1_000, 3)
    base = get_settings()
    with tempfile.TemporaryDirectory(prefix="elp-bench-", dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o711)
        settings = base.model_copy(
            update={
                "backup_repository": str(folder / "repository"),
                "backup_key": SecretStr(new_key()[0]),
            }
        )
        data = _fill(base.required_database_url(), megabytes)
        size = sum(path.stat().st_size for path in data.rglob("*") if path.is_file()) / _MB
        ours, plain, copies, restores, recopies = [], [], [], [], []
        for number in range(rounds):
            plain.append(size / _seconds(lambda: _basebackup(base, folder / "plain")))
            shutil.rmtree(folder / "plain")
            copies.append(size / _seconds(lambda: _copy(data, folder / "copy")))
            shutil.rmtree(folder / "copy")
            began = time.perf_counter()
            full = take(settings, "full")
            ours.append(size / (time.perf_counter() - began))
            back = folder / f"back{number}"
            done = restore(settings, back, LATEST, label=full.label)
            restores.append(size / (done.restore_ms / 1_000))
            recopies.append(size / _seconds(lambda back=back: _copy(back, folder / "copy")))  # type: ignore[misc]
            shutil.rmtree(folder / "copy")
            shutil.rmtree(back)
        _change_one_percent(base.required_database_url())
        small = take(settings, "incremental")
    report.add(Figure("full backup, limit: pg_basebackup", "MB/s", measured(ours), measured(plain), None, 0.8))
    report.add(Figure("full backup, limit: cp of the data directory", "MB/s", measured(ours), measured(copies)))
    report.add(Figure("restore until it answers, limit: cp", "MB/s", measured(restores), measured(recopies), None, 0.7))
    share = small.stored_bytes / full.stored_bytes
    report.note(
        f"{size:,.0f} MB of data, stored as {full.stored_bytes / _MB:,.0f} MB; {small.kind} after 1 % of the "
        f"rows changed: {small.stored_bytes / _MB:,.1f} MB, {100 * share:.1f} % of the full one "
        f"(at most 5 %: {'reached' if share <= 0.05 else 'MISSED'})"
    )


def _fill(url: str, megabytes: int) -> Path:
    with psycopg.connect(libpq_url(url), autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE bench_backups AS SELECT gen_random_uuid() AS id, gen_random_uuid() AS user_id, number,"
            " timestamptz '2026-01-01' + number * interval '1 second' AS at, number % 7 = 0 AS correct,"
            " '{\"choice\": \"' || chr(97 + (number % 4)::int) || '\"}' AS answer"
            f" FROM generate_series(1, {megabytes * _ROWS_A_MB}) AS number"
        )
        connection.execute("VACUUM (FREEZE, ANALYZE) bench_backups")
        connection.execute("CHECKPOINT")
        row = connection.execute("SHOW data_directory").fetchone()
        assert row is not None
        return Path(row[0])


def _change_one_percent(url: str) -> None:
    with psycopg.connect(libpq_url(url), autocommit=True) as connection:
        connection.execute(
            "UPDATE bench_backups SET correct = NOT correct"
            " WHERE number <= (SELECT max(number) / 100 FROM bench_backups)"
        )


def _basebackup(settings: Settings, target: Path) -> None:
    """Copy with pg_basebackup as it comes: plain files, the log it needs, forced to the disk at the end."""
    url = settings.required_database_url()
    with psycopg.connect(libpq_url(url)) as connection:
        programs = programs_for(connection.info.server_version // 10_000, settings)
    name, secret = connection_of(url, "bench")
    programs.run("pg_basebackup", "-d", name, "-D", str(target), "-X", "fetch", "-c", "fast", environment=secret)


def _copy(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)
    subprocess.run(["sync", "-f", str(target)], check=True)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
