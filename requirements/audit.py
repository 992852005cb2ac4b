"""Ask whether locked versions have known weaknesses: `python requirements/audit.py requirements/run.txt`.

Exit status: 0 none is known, 1 some are, 3 the database could not be asked (offline, or it doesn't answer). Needs
pip-audit, and nothing of the product's.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

NONE_KNOWN, SOME_KNOWN, NOT_ASKED = 0, 1, 3
_TIMEOUT_S = 240


class NotAskedError(Exception):
    """The database of weaknesses could not be asked, or knows nothing of a version; the message says why."""


def audit(lock: str) -> int:
    """Ask about each version of a lock that this Python would install, say what is known; return the exit status."""
    try:
        first = re.search(r"(?m)^\w(?:.*\\\n)*.*", lock)
        if first is not None:
            judge(ask(first[0]))  # where there is no database, one question is enough to learn it
        found = ask(lock)
        weak = judge(found)
    except (NotAskedError, OSError, ValueError, KeyError) as error:
        print(f"the database of weaknesses could not be asked: {error}")
        return NOT_ASKED
    for line in weak:
        print(line)
    print(f"{len(found)} locked versions, {len(weak)} known weaknesses")
    return SOME_KNOWN if weak else NONE_KNOWN


def ask(lock: str) -> list[dict[str, Any]]:
    """Return what pip-audit reports: each version with its weaknesses, or with the reason it was skipped.

    Raises:
        NotAskedError: there is no report.
    """
    with TemporaryDirectory() as folder:
        requirements, report = Path(folder, "requirements.txt"), Path(folder, "report.json")
        requirements.write_text(lock, encoding="utf-8")
        command = [sys.executable, "-m", "pip_audit", "--require-hashes", "--disable-pip", "--progress-spinner=off"]
        command += ["--timeout=15", "--format=json", f"--output={report}", f"--requirement={requirements}"]
        try:
            asked = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)  # noqa: S603
        except subprocess.TimeoutExpired:
            raise NotAskedError(f"no answer within {_TIMEOUT_S} s") from None
        if not report.exists():  # its exit status is 1 for that and for weaknesses
            raise NotAskedError(asked.stderr.strip().rpartition("\n")[2] or "pip-audit gave no reason")
        found: list[dict[str, Any]] = json.loads(report.read_bytes())["dependencies"]
    return found


def judge(dependencies: list[dict[str, Any]]) -> list[str]:
    """Return a line for each weakness of a report.

    Raises:
        NotAskedError: a version was skipped: nothing is known about it.
    """
    for each in dependencies:
        if "skip_reason" in each:
            raise NotAskedError(each["skip_reason"])
    return [
        f"{each['name']} {each['version']}: {weakness['id']}, mended in "
        + (", ".join(weakness["fix_versions"]) or "no version yet")
        for each in dependencies
        for weakness in each["vulns"]
    ]


if __name__ == "__main__":
    sys.exit(audit(Path(sys.argv[1]).read_text(encoding="utf-8")))
