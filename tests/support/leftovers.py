"""`python -m tests.support.leftovers FOLDER`: fail if a process survives that used FOLDER for its data or as TMPDIR."""

import os
import sys
from pathlib import Path

import psutil


def leftovers(folder: Path) -> list[psutil.Process]:
    """Return the processes that work in `folder` or have it as their TMPDIR, except this one and its ancestors."""
    ours = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = []
    for process in psutil.process_iter():
        if process.pid in ours:
            continue
        try:
            inside = Path(process.cwd()).is_relative_to(folder)
            if inside or process.environ().get("TMPDIR") == str(folder):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


if __name__ == "__main__":
    left = leftovers(Path(sys.argv[1]).resolve())
    for process in left:
        print(f"left behind: {process.pid} {' '.join(process.cmdline())}", file=sys.stderr)  # noqa: T201
    sys.exit(1 if left else 0)
