"""The Procfile: which processes there are and how each is started."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from worker.errors import ConfigurationError

_NAME: Final = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Entry:
    """One line of a Procfile."""

    name: str
    command: tuple[str, ...]
    """Program and arguments; no shell reads them."""


def parse_procfile(text: str) -> Sequence[Entry]:
    """Return the entries of a Procfile: lines of `name: command`; empty ones and those starting with # don't count.

    Raises:
        ConfigurationError: a line is not of this form or a name occurs twice; the message gives the line's number.
    """
    entries: list[Entry] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, colon, command = (part.strip() for part in line.partition(":"))
        if not colon or not command or not _NAME.fullmatch(name):
            raise ConfigurationError(f"Procfile line {number}: expected `name: command`")
        if any(entry.name == name for entry in entries):
            raise ConfigurationError(f"Procfile line {number}: there is a process {name} already")
        try:
            words = tuple(shlex.split(command))
        except ValueError as error:
            raise ConfigurationError(f"Procfile line {number}: {error}") from error
        entries.append(Entry(name, words))
    return entries


def read_procfile(path: Path) -> Sequence[Entry]:
    """Return the entries of the Procfile at `path`.

    Raises:
        ConfigurationError: there is no such file, it names no process, or a line of it is wrong.
    """
    try:
        entries = parse_procfile(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}; name a Procfile with --procfile") from error
    if not entries:
        raise ConfigurationError(f"{path} names no process")
    return entries
