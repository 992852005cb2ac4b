"""What people type into a search box, read as words, phrases, alternatives and exclusions. Pure; any text is fine."""

import re
from dataclasses import dataclass, replace
from typing import Final

from worker.errors import ElpError

MAX_TERM_CHARACTERS: Final = 1_000
"""Beyond this nobody searches, somebody attacks; a term of 200,000 exhausts the server's stack depth."""
MAX_PARTS: Final = 32
"""Words and phrases of a term that count; those after them are left out."""
MIN_PREFIX: Final = 3
"""Letters from which on a word being typed also stands for all words that begin so: fewer stand for half the index."""

_ENGLISH: Final = """
    i me my myself we our ours ourselves you your yours yourself yourselves he him his himself she her hers herself it
    its itself they them their theirs themselves what which who whom this that these those am is are was were be been
    being have has had having do does did doing a an the and but if or because as until while of at by for with about
    against between into through during before after above below to from up down in out on off over under again further
    then once here there when where why how all any both each few more most other some such no nor not only own same so
    than too very s t can will just don should now
"""
_TAUGHT: Final = """
    myself yourself himself herself itself ourselves yourselves themselves this that these those there some any few
    more most other who whom which
"""
_INDONESIAN: Final = "yang dan di ke dari untuk dengan atau adalah pada oleh apa"
ENGLISH_STOP_WORDS: Final = frozenset(_ENGLISH.split())
"""The words that PostgreSQL's configuration `english` leaves out."""
TAUGHT: Final = frozenset(_TAUGHT.split())
"""Those of them that lessons are about: looked for when a term has no other word."""
INDONESIAN_STOP_WORDS: Final = frozenset(_INDONESIAN.split())
"""Left out beside other words. The configuration `indonesian` leaves none out, so alone they are looked for."""

_TOKENS: Final = re.compile(r'(-?)(?:"([^"]*)"?|(\S+))')
"""A phrase in quotes (the closing one may be missing) or a word, either perhaps after a minus."""
_HYPHEN: Final = re.compile(r"(?<=\w)-(?=\w)")
_QUOTES: Final = str.maketrans("“”„«»", '"' * 5)


class SearchError(ElpError):
    """A search cannot be done as asked.

    Attributes:
        field: the argument at fault: search_term or search_fields.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


@dataclass(frozen=True, slots=True)
class Item:
    """A word, or a phrase whose words must follow one another."""

    text: str
    is_phrase: bool = False
    also: tuple[str, ...] = ()
    """Words that are as good: completions of a word being typed, or what a misspelt one may mean."""
    is_prefix: bool = False
    """Whether words that begin with it are as good; then it is of ASCII letters and digits only."""


@dataclass(frozen=True, slots=True)
class Term:
    """A term, read. A text matches if it has one item of each of `wanted`, and none of `excluded`."""

    wanted: tuple[tuple[Item, ...], ...] = ()
    excluded: tuple[Item, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to look for: an exclusion alone would mean nearly everything."""
        return not self.wanted

    def words(self) -> list[str]:
        """Return the words wanted, each once, phrases left out."""
        return list(dict.fromkeys(item.text for group in self.wanted for item in group if not item.is_phrase))

    def as_any(self) -> "Term":
        """Return the term that any one of the wanted items meets."""
        return replace(self, wanted=(tuple(item for group in self.wanted for item in group),))

    def with_words(self, better: dict[str, str]) -> "Term":
        """Return the term with other words in the place of some."""
        groups = (
            tuple(item if item.is_phrase else replace(item, text=better.get(item.text, item.text)) for item in group)
            for group in self.wanted
        )
        return replace(self, wanted=tuple(groups))

    def with_also(self, others: dict[str, str]) -> "Term":
        """Return the term in which other words are as good as some."""
        groups = (
            tuple(replace(item, also=(others[item.text],)) if item.text in others else item for item in group)
            for group in self.wanted
        )
        return replace(self, wanted=tuple(groups))

    def completed(self, words: tuple[str, ...]) -> "Term":
        """Return the term whose last word, being typed, may also be one of these."""
        if not self.wanted:
            return self
        *others, last = self.wanted[-1]
        return replace(self, wanted=(*self.wanted[:-1], (*others, replace(last, also=words))))

    def text(self) -> str:
        """Return the term as one could type it."""
        shown = [
            " or ".join(f'"{item.text}"' if item.is_phrase else item.text for item in group) for group in self.wanted
        ]
        return " ".join(shown)


def parse_term(text: str, *, as_you_type: bool = False) -> Term:
    """Return what a term asks for.

    As in search engines: words in any order, `"a phrase"`, `this or that`, `-without`. Quotes and minuses that mean
    nothing are put up with; NUL, control characters and lone surrogates count as spaces. Stop words are left out beside
    others; alone, only those that lessons are about count.

    Args:
        text: what was typed.
        as_you_type: the last word, if nothing follows it, may be unfinished.

    Raises:
        SearchError: it is no text, or longer than `MAX_TERM_CHARACTERS`.
    """
    if not isinstance(text, str):
        raise SearchError("search_term", f"must be text, not {type(text).__name__}")
    if len(text) > MAX_TERM_CHARACTERS:
        raise SearchError("search_term", f"must have at most {MAX_TERM_CHARACTERS} characters, not {len(text)}")
    visible = "".join(character if character.isprintable() else " " for character in text.translate(_QUOTES))
    groups: list[list[Item]] = []
    excluded: list[Item] = []
    is_alternative = False
    for minus, phrase, word in _TOKENS.findall(visible)[: MAX_PARTS * 2]:
        if not minus and word.lower() == "or":
            is_alternative = bool(groups)
            continue
        # A hyphen would demand the parts side by side: “buku-buku” shall find “buku”.
        items = [Item(phrase.strip(), is_phrase=True)] if phrase.strip() else _words(word)
        if not items:
            continue
        if minus:
            excluded += items
        elif is_alternative:
            groups[-1] += items
        else:
            groups += [[item] for item in items]
        is_alternative = False
    if as_you_type and groups and visible[-1:].isalnum():
        groups[-1][-1] = _unfinished(groups[-1][-1])
    wanted = _without_stop_words(groups)
    kept = tuple(item for item in excluded if item.is_phrase or not _is_stop_word(item))
    return Term(wanted[:MAX_PARTS], kept[:MAX_PARTS])


def _words(word: str) -> list[Item]:
    """Return the words of a token; one without a letter or digit has none."""
    parts = _HYPHEN.sub(" ", word).split()
    return [Item(part) for part in parts if any(character.isalnum() for character in part)]


def _unfinished(item: Item) -> Item:
    fits = not item.is_phrase and item.text.isascii() and item.text.isalnum() and len(item.text) >= MIN_PREFIX
    return replace(item, is_prefix=True) if fits else item


def _is_stop_word(item: Item) -> bool:
    word = item.text.lower().strip(".,;:!?()'")
    return word in ENGLISH_STOP_WORDS or word in INDONESIAN_STOP_WORDS


def _without_stop_words(groups: list[list[Item]]) -> tuple[tuple[Item, ...], ...]:
    kept = [[item for item in group if item.is_phrase or item.is_prefix or not _is_stop_word(item)] for group in groups]
    if any(kept):
        return tuple(tuple(group) for group in kept if group)
    alone = [
        [item for item in group if item.text.lower() in TAUGHT or item.text.lower() in INDONESIAN_STOP_WORDS]
        for group in groups
    ]
    return tuple(tuple(group) for group in alone if group)
