"""`python -m tests.reliability.launch celery … | api`: a process that knows the jobs of the fault tests.

A test can move its clock while it runs: ELP_TEST_CLOCK_FILE names a file with the seconds by which it is ahead.
"""

import os
import runpy
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.reliability import jobs_under_faults
from worker import clock


class ShiftedClock:
    """The machine's clock, ahead (or behind) by what a file says at the moment."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seconds = 0.0

    def __call__(self) -> datetime:
        text = self._file.read_text(encoding="ascii")
        if text:  # it is just being written
            self._seconds = float(text)
        return datetime.now(UTC) + timedelta(seconds=self._seconds)


def main() -> None:
    if file := os.environ.get("ELP_TEST_CLOCK_FILE"):
        clock.set_source(ShiftedClock(Path(file)))
    jobs_under_faults.declare()
    what = sys.argv.pop(1)
    if what == "api":
        runpy.run_module("worker.api", run_name="__main__", alter_sys=True)
        return
    from celery.__main__ import main as celery  # noqa: PLC0415

    sys.argv[0] = "celery"
    sys.exit(celery())


if __name__ == "__main__":
    main()
