"""Marks what was found in a text, safe to be put into a page. Pure."""

import html
from typing import Final

FOUND_BEGINS: Final = "\ue000"
FOUND_ENDS: Final = "\ue001"
"""Delimiters that ts_headline puts in: characters for private use, which the statement takes out of texts."""
TYPOGRAPHY: Final = "“”‘’„«»–—…<>&"
NEUTRAL: Final = "\x01\x02\x03\x04\x05\x06\x07\x0e\x0f\x10\x11\x12\x13"
"""What stands for these characters, one for one, while PostgreSQL looks for words. Under some locales its parser takes
typographic ones for letters, and ts_headline drops what it takes for tags of HTML."""
EXCHANGED: Final = TYPOGRAPHY + FOUND_BEGINS + FOUND_ENDS
"""All that translate() takes out of a text: those without a counterpart in `NEUTRAL` are removed."""
_RESTORED: Final = str.maketrans(NEUTRAL, TYPOGRAPHY)
OPTIONS: Final = f"StartSel={FOUND_BEGINS}, StopSel={FOUND_ENDS}, MaxWords=45, MinWords=25"


def marked(headline: str) -> str:
    """Return a text as HTML: everything escaped, and what was found in `<mark>`."""
    restored = headline.translate(_RESTORED)
    return html.escape(restored).replace(FOUND_BEGINS, "<mark>").replace(FOUND_ENDS, "</mark>")
