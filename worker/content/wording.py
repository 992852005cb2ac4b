"""Words that all questions share: parts of speech, quotation, usual times, what the data sets are called."""

from collections.abc import Iterable
from typing import Final

POS_NAMES: Final = {
    "noun": ("noun", "kata benda"),
    "verb": ("verb", "kata kerja"),
    "adjective": ("adjective", "kata sifat"),
    "adverb": ("adverb", "kata keterangan"),
    "preposition": ("preposition", "kata depan"),
    "conjunction": ("conjunction", "kata hubung"),
    "pronoun": ("pronoun", "kata ganti"),
    "determiner": ("determiner", "kata penentu"),
    "number": ("number", "kata bilangan"),
    "interjection": ("interjection", "kata seru"),
    "modal auxiliary": ("modal verb", "kata kerja bantu"),
    "be-verb": ("verb", "kata kerja"),
    "do-verb": ("verb", "kata kerja"),
    "have-verb": ("verb", "kata kerja"),
    "infinitive-to": ("infinitive marker", "penanda infinitif"),
}
"""Parts of speech of CEFR-J, as they are shown in English and in Indonesian."""

VOCABULARY_SOURCE: Final = "cefrj + freedict-eng-ind"

_CREDITS: Final = {
    "cefrj": (
        "The CEFR-J Wordlist Version 1.5. Compiled by Yukio Tono, Tokyo University of Foreign Studies. "
        "Retrieved from the CEFR-J project on 1/20/2020."
    ),
    "freedict-eng-ind": (
        "FreeDict English–Indonesian dictionary, edition 2022.11.18 (WikDict, Wiktionary), selected and edited, "
        "CC BY-SA 3.0."
    ),
    "blimp": "BLiMP, Warstadt et al. (2020), TACL, CC BY 4.0; questions and explanations added.",
    "tatoeba-ind-eng": "Tatoeba and its contributors, CC BY 2.0 FR; questions added.",
}

_READING_MS: Final = 450
"""Time to read a word in a foreign language at leisure (about 130 words a minute)."""
_TYPING_MS: Final = 350
"""Time to type a letter on a telephone."""


def quoted(text: str) -> str:
    """Return a text in typographic quotation marks."""
    return f"“{text}”"


def listed(texts: Iterable[str]) -> str:
    """Return texts in quotation marks, parted by commas."""
    return ", ".join(quoted(text) for text in texts)


def stopped(text: str) -> str:
    """Return a text with one full stop at its end, even if it ends in an abbreviation's."""
    return text if text.endswith(".") else f"{text}."


def usual_time(think_ms: int, *shown: str, typed: int = 0) -> int:
    """Return the time a question usually takes in ms: thinking, reading what is shown, typing; in steps of 500."""
    words = sum(len(text.split()) for text in shown)
    return round((think_ms + words * _READING_MS + typed * _TYPING_MS) / 500) * 500


def credits_section(*sources: str) -> dict[str, str]:
    """Return the section of a lesson that names its data sets, as their licences ask."""
    body = " ".join(_CREDITS[source] for source in sources)
    return {"kind": "credits", "title": "Sources", "title_id": "Sumber", "body": body, "body_id": body}
