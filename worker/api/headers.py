"""Headers that every answer carries: browsers must not guess types, frame, cache or send addresses on."""

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Final

Header = tuple[bytes, bytes]

SECURITY: Final[Sequence[Header]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
HTTPS: Final[Header] = (b"strict-transport-security", b"max-age=31536000")
"""Only over HTTPS; elsewhere browsers ignore it."""

_SCRIPT: Final = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def with_security(headers: Iterable[Header], scheme: str) -> list[Header]:
    """Return an answer's headers with those that it does not set itself."""
    present = list(headers)
    names = {name.lower() for name, _ in present}
    present += [header for header in SECURITY if header[0] not in names]
    if scheme == "https":
        present.append(HTTPS)
    return present


def page_policy(page: str) -> str:
    """Return the content security policy of a page of ours: its own inline parts by their digests, files from here."""
    scripts = " ".join(_source(part) for part in _SCRIPT.findall(page))
    # Swagger UI sets styles of elements from its script: digests don't cover those.
    return (
        f"default-src 'none'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )


def _source(part: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()}'"
