"""What the processes print, line by line under their names."""

import os
import threading
from collections.abc import Iterable, Mapping
from typing import Final, TextIO

_COLOURS: Final = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)
"""ANSI foreground colours that can be read on dark and light backgrounds; red stays for failures."""
_RESET: Final = "\x1b[0m"


def wants_colour(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether to colour what goes to `stream`: only on a terminal, and not under NO_COLOR (no-color.org)."""
    return stream.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


class PrefixedOutput:
    """Writes lines of several processes to one stream, whole and under the name of each. Safe for threads.

    Args:
        stream: where to.
        names: all names that will occur: they fix the prefix's width and each one's colour.
        colour: whether to use ANSI colours.
    """

    def __init__(self, stream: TextIO, names: Iterable[str], *, colour: bool) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        names = list(names)
        self._width = max((len(name) for name in names), default=0)
        colours = (_COLOURS[position % len(_COLOURS)] for position in range(len(names)))
        self._colours = dict(zip(names, colours, strict=True)) if colour else {}

    def __call__(self, name: str, line: str) -> None:
        """Write one line of the process `name`."""
        prefix = f"{name:<{self._width}} |"
        if name in self._colours:
            prefix = f"\x1b[{self._colours[name]}m{prefix}{_RESET}"
        with self._lock:
            try:
                self._stream.write(f"{prefix} {line}\n")
                self._stream.flush()
            except (BrokenPipeError, ValueError):
                return  # whoever read us is gone (`elp up | head`): the processes go on
