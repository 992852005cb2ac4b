"""`make bench`: every benchmark on new servers of its own, as tables and as JSON in benchmarks/results/.

`make bench ARGS="drain"` runs one of them, `ARGS="--quick"` all at a small scale. PostgreSQL runs with fsync on, as in
production; a limit and the usual way are measured on the same server, in the same run.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Final

from benchmarks.report import Report
from worker.db.schema import migrate
from worker.embedded.manager import scratch_servers

NAMES = (
    "accept",
    "drain",
    "due_queues",
    "engine",
    "outbox",
    "anki_queues",
    "fsrs_drain",
    "prediction",
    "achievements",
    "reconciliation",
    "tryouts",
    "search",
    "search_bulk",
    "search_speed",
    "renewal",
    "backups",
)
# A machine of 4 GiB upwards: enough for the tables of 10⁷ rows to be read from memory for the most part.
POSTGRES = {
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",
    "maintenance_work_mem": "512MB",
}
OF_ONE: Final = {"search": {"track_commit_timestamp": "on"}}
"""What single benchmarks need besides."""


def main() -> int:
    """Run the benchmarks that the command line names; 1 if a figure is less than it must be."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], help=f"of {', '.join(NAMES)}; all when left out")
    parser.add_argument("--quick", action="store_true", help="small sizes and few rounds")
    parser.add_argument("--directory", type=Path, help="where servers and files are; a disk, not memory")
    arguments = parser.parse_args()
    if arguments.directory is not None:
        arguments.directory.mkdir(parents=True, exist_ok=True)
        os.environ["TMPDIR"] = str(arguments.directory.resolve())
        tempfile.tempdir = None  # look again
    names = arguments.names or NAMES
    if len(names) == 1:
        return 0 if _reaches(names[0], quick=arguments.quick) else 1
    return max([_in_own_process(name, quick=arguments.quick) for name in names])


def _in_own_process(name: str, *, quick: bool) -> int:
    """Run one benchmark and return its exit status.

    Settings and Celery's connections are made once a process, and each benchmark has servers of its own.
    """
    command = [sys.executable, "-m", "benchmarks", name, *(["--quick"] if quick else [])]
    return subprocess.run(command, check=False).returncode


def _reaches(name: str, *, quick: bool) -> bool:
    report = Report(name)
    with scratch_servers({**POSTGRES, **OF_ONE.get(name, {})}) as used:
        migrate(used.database_url)
        # Imported only now: some modules read the addresses of servers that must run first.
        import_module(f"benchmarks.{name}").run(report, quick=quick)
    report.print()
    if not quick:
        print(report.write())
    return report.reached


if __name__ == "__main__":
    sys.exit(main())
