"""A small program that behaves as a test wants: `python programs.py BEHAVIOUR [FILE]`."""

import signal
import subprocess
import sys
import time
from pathlib import Path

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(behaviour: str, file: str = "") -> None:
    say(f"{behaviour} started")
    if behaviour == "crash":
        sys.exit(3)
    if behaviour == "crash-once" and not Path(file).exists():
        Path(file).touch()
        sys.exit(1)
    if behaviour == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        say("deaf")
    if behaviour == "family":
        children = [subprocess.Popen(SLEEP), subprocess.Popen(SLEEP, start_new_session=True)]
        Path(file).write_text(" ".join(str(child.pid) for child in children))
    time.sleep(600)


if __name__ == "__main__":
    main(*sys.argv[1:])
