"""A database larger than memory must fit through: what a backup and a restore take does not grow with it."""

import os
import subprocess
import sys
from collections.abc import Callable

import psycopg
import pytest

from tests.backups.world import PATIENCE_S, World
from tests.support.processes import ROOT

pytestmark = pytest.mark.processes

MEGABYTES = 200

THERE_AND_BACK = """
import re, shutil, sys
from pathlib import Path
from worker.backups.chains import LATEST
from worker.backups.taking import take
from worker.backups.verifying import restore
from worker.settings import get_settings

def there_and_back():
    entry = take(get_settings(), "full")
    restore(get_settings(), Path(sys.argv[1]), LATEST, durable=False)
    shutil.rmtree(sys.argv[1])
    most = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
    print(entry.stored_bytes, int(most[1]) * 1024, file=sys.stderr, flush=True)

there_and_back()
sys.stdin.readline()
there_and_back()
"""


def test_more_data_takes_no_more_memory(world: Callable[..., World]) -> None:
    there = world(migrated=True)
    settings = there.settings()
    process = subprocess.Popen(
        [sys.executable, "-c", THERE_AND_BACK, str(there.folder / "back")],
        env={
            **os.environ,
            "ELP_DATABASE_URL": there.server.url,
            "ELP_BACKUP_REPOSITORY": str(there.repository_folder),
            "ELP_BACKUP_KEY": there.key,
            "ELP_BACKUP_POSTGRES_BIN": str(settings.backup_postgres_bin),
        },
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,  # of the log
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        small, needed_for_small = (int(word) for word in process.stderr.readline().split())
        with psycopg.connect(there.server.url, autocommit=True) as connection:
            connection.execute("CREATE TABLE filling (part bytea)")
            connection.execute("ALTER TABLE filling ALTER part SET STORAGE EXTERNAL")
            connection.execute(  # repeats beyond the reach of the compression
                "INSERT INTO filling SELECT %b FROM generate_series(1, %s)", [os.urandom(4 << 20), MEGABYTES // 4]
            )
        _, said = process.communicate("\n", timeout=PATIENCE_S)
    finally:
        process.kill()
        process.wait()
    large, needed_for_large = (int(word) for word in said.split())
    assert large - small > MEGABYTES << 19  # the data really went through: half of it, for the doubtful
    assert needed_for_large - needed_for_small < MEGABYTES << 18  # a quarter; it is a few megabytes
