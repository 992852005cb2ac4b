"""FreeDict English–Indonesian dictionary in dictd format: an index, and entries of pronunciations and senses.

An entry's first line is `headword /pronunciation/ … <part of speech>`. Then come the senses, numbered `1. `, `2. ` at
the start of a line if there are several: translations parted by commas, then English glosses. A sense with several
glosses numbers them from 1 as well, but writes that 1 nowhere and the 2 at the end of the line of translations
(`sentris 2.`), the others on lines of their own (` 3.`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

SOURCE = "freedict-eng-ind"
_DIGITS = {
    character: value
    for value, character in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
}
_HEAD = re.compile(r"(?P<headword>.*?)(?: (?P<pronunciations>/.*/))?(?: <(?P<pos>[^<>]*)>)?")
_SENSE = re.compile(r"(?P<number>\d+)\. (?P<rest>.*)")
_GLOSS_NUMBER = re.compile(r" \d+\.")
_WIKI_LINK = re.compile(r"\[\[(?:[^\]|]*\|)?([^\]]*)\]\]")
_PRONUNCIATION = re.compile(r"//([^/]+)//|/(\[[^/]+\])/|/([^/]+)/")


@dataclass(frozen=True, slots=True)
class Sense:
    """One meaning: its translations, the best first as far as the dictionary says, and what it means in English."""

    translations: tuple[str, ...]
    glosses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A headword with one part of speech (None: not given) in all its senses.

    Attributes:
        pronunciations: IPA without slashes; narrow transcriptions keep their square brackets.
    """

    headword: str
    pos: str | None
    pronunciations: tuple[str, ...]
    senses: tuple[Sense, ...]


def number(text: str) -> int:
    """Return a number of the index: base 64 with the alphabet of RFC 2045, most significant digit first.

    Raises:
        KeyError: a character is no digit.
    """
    value = 0
    for character in text:
        value = value * 64 + _DIGITS[character]
    return value


def read_entries(index: str, dictionary: bytes) -> list[Entry]:
    """Return the entries in the order of the index, without the database's own (`00database…`)."""
    entries = []
    for line in index.splitlines():
        headword, offset, length = line.split("\t")
        if not headword.startswith("00database"):
            start = number(offset)
            entries.append(parse_entry(dictionary[start : start + number(length)].decode()))
    return entries


def parse_entry(text: str) -> Entry:
    """Return one entry of the dictionary."""
    first, *body = text.rstrip("\n").split("\n")
    head = _HEAD.fullmatch(first)
    assert head is not None  # every part of the pattern is optional
    spoken = tuple("".join(groups) for groups in _PRONUNCIATION.findall(head["pronunciations"] or ""))
    return Entry(head["headword"], head["pos"], spoken, tuple(_senses(body)))


def _senses(lines: list[str]) -> Iterator[Sense]:
    numbered = bool(lines) and lines[0].startswith("1. ")
    groups: list[tuple[str, list[str]]] = []
    for line in lines:
        match = _SENSE.fullmatch(line) if numbered else None
        # Only the next number starts a sense: a gloss may begin with figures, too.
        if match and int(match["number"]) == len(groups) + 1:
            groups.append((match["rest"], []))
        elif groups:
            groups[-1][1].append(line)
        else:
            groups.append((line, []))
    for translations, glosses in groups:
        kept = tuple(gloss.strip() for gloss in glosses if gloss.strip() and not _GLOSS_NUMBER.fullmatch(gloss))
        yield Sense(tuple(_split_translations(translations)), kept)


def _split_translations(line: str) -> Iterator[str]:
    """Yield the translations of a line without the stray ` 2.` and wiki markup."""
    plain = _WIKI_LINK.sub(r"\1", line.removesuffix(" 2."))
    for translation in plain.split(", "):
        if translation.strip():
            yield translation.strip()
