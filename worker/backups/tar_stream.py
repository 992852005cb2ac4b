"""Looks into a tar stream (POSIX.1-1988 ustar, as pg_basebackup writes it) while it goes by. Pure."""

from typing import Final

_BLOCK: Final = 512
_SIZE: Final = slice(124, 136)
_NAME: Final = slice(0, 100)
_PREFIX: Final = slice(345, 500)


class TarTruncatedError(Exception):
    """The stream ended within a member or without its end mark."""


class TarWatch:
    """Keeps the content of the members that are asked for; nothing else is copied.

    Args:
        wanted: names of members, which must be small enough for memory.
    """

    def __init__(self, wanted: frozenset[str]) -> None:
        self._wanted = wanted
        self._header = bytearray()
        self._left = 0
        """Bytes of the present member, with its padding, that are still to come."""
        self._keep = 0
        self._kept: bytearray | None = None
        self._ended = False
        self.found: dict[str, bytearray] = {}

    def feed(self, data: bytes) -> None:
        """Take the next piece of the stream."""
        view = memoryview(data)
        while view and not self._ended:
            if self._left:
                view = self._take_content(view)
            else:
                missing = _BLOCK - len(self._header)
                self._header += view[:missing]
                view = view[missing:]
                if len(self._header) == _BLOCK:
                    self._begin_member(bytes(self._header))
                    self._header.clear()

    def finish(self) -> None:
        """Check that the stream was whole.

        Raises:
            TarTruncatedError: it was not.
        """
        if not self._ended:
            raise TarTruncatedError

    def _take_content(self, view: memoryview) -> memoryview:
        length = min(self._left, len(view))
        if self._kept is not None and self._keep:
            part = view[: min(self._keep, length)]
            self._kept += part
            self._keep -= len(part)
        self._left -= length
        return view[length:]

    def _begin_member(self, header: bytes) -> None:
        if not header.strip(b"\0"):
            self._ended = True
            return
        prefix, name = (header[part].partition(b"\0")[0].decode(errors="replace") for part in (_PREFIX, _NAME))
        name = f"{prefix}/{name}" if prefix else name
        size = _number(header[_SIZE])
        self._left = -(-size // _BLOCK) * _BLOCK
        self._keep, self._kept = size, None
        if name in self._wanted:
            self._kept = self.found[name] = bytearray()


def _number(field: bytes) -> int:
    """Return a size: octal digits, or binary when its first bit is set (GNU's form for 8 GiB and more)."""
    if field[0] & 0x80:
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    return int(field.rstrip(b" \0") or b"0", 8)
