"""English as the questions need it: base forms of words, levels of sentences, words a typo away from each other."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from worker.content.sources.cefrj import Word
from worker.content.values import LEVELS, Level

# Base, past and past participle. Forms of be, have and do, and irregular pronouns, stand in CEFR-J themselves.
IRREGULAR_VERBS: Final = (
    "beat beat beaten; become became become; begin began begun; bite bit bitten; blow blew blown; break broke "
    "broken; bring brought brought; build built built; buy bought bought; catch caught caught; choose chose "
    "chosen; come came come; cost cost cost; cut cut cut; draw drew drawn; drink drank drunk; drive drove driven; "
    "eat ate eaten; fall fell fallen; feed fed fed; feel felt felt; fight fought fought; find found found; flee "
    "fled fled; fly flew flown; forget forgot forgotten; freeze froze frozen; get got gotten; give gave given; go "
    "went gone; grow grew grown; hang hung hung; have had had; hear heard heard; hide hid hidden; hit hit hit; "
    "hold held held; hurt hurt hurt; keep kept kept; know knew known; lead led led; leave left left; lend lent "
    "lent; let let let; lie lay lain; lose lost lost; make made made; mean meant meant; meet met met; pay paid "
    "paid; put put put; read read read; ride rode ridden; ring rang rung; rise rose risen; run ran run; say said "
    "said; see saw seen; sell sold sold; send sent sent; shake shook shaken; shoot shot shot; show showed shown; "
    "shrink shrank shrunk; shut shut shut; sing sang sung; sink sank sunk; sit sat sat; sleep slept slept; speak "
    "spoke spoken; spend spent spent; stand stood stood; steal stole stolen; swim swam swum; take took taken; "
    "teach taught taught; tear tore torn; tell told told; think thought thought; throw threw thrown; understand "
    "understood understood; wake woke woken; wear wore worn; win won won; write wrote written"
)
_IRREGULAR_NOUNS: Final = {
    "children": "child",
    "feet": "foot",
    "geese": "goose",
    "lives": "life",
    "men": "man",
    "mice": "mouse",
    "oxen": "ox",
    "people": "people",
    "scarves": "scarf",
    "teeth": "tooth",
    "wives": "wife",
    "women": "woman",
    "wolves": "wolf",
    "crises": "crisis",
    "nuclei": "nucleus",
    "phenomena": "phenomenon",
}
_CONTRACTIONS: Final = {
    "can't": ("can", "not"),
    "won't": ("will", "not"),
    "i'm": ("i", "am"),
    "let's": ("let", "us"),
    "cannot": ("can", "not"),
}
_ENDINGS: Final = (
    ("n't", ("",)),
    ("'s", ("",)),
    ("'re", ("",)),
    ("'ve", ("",)),
    ("'ll", ("",)),
    ("'d", ("",)),
    ("ies", ("y",)),
    ("es", ("", "e")),
    ("s", ("",)),
    ("ied", ("y",)),
    ("ed", ("", "e")),
    ("ing", ("", "e")),
    ("ier", ("y",)),
    ("er", ("", "e")),
    ("iest", ("y",)),
    ("est", ("", "e")),
    ("ily", ("y",)),
    ("ly", ("",)),
)
_DOUBLED = re.compile(r"(.)\1$")


def verb_forms() -> dict[str, tuple[str, str, str]]:
    """Return, for each irregular form, its verb's base, past and past participle."""
    forms: dict[str, tuple[str, str, str]] = {}
    for entry in IRREGULAR_VERBS.split("; "):
        base, past, participle = entry.split()
        for form in (participle, past, base):
            forms[form] = (base, past, participle)
    return forms


VERB_FORMS: Final = verb_forms()


def base_forms(token: str) -> Iterator[str]:
    """Yield what may be the base form of a word in lower case: itself first, then without endings."""
    yield token
    if token in _IRREGULAR_NOUNS:
        yield _IRREGULAR_NOUNS[token]
    if token in VERB_FORMS:
        yield VERB_FORMS[token][0]
    for ending, replacements in _ENDINGS:
        # "I've" leaves one letter, "as" must not.
        if token.endswith(ending) and len(token) > len(ending) + ("'" not in ending):
            for replacement in replacements:
                base = token.removesuffix(ending) + replacement
                yield base
                if not replacement and ending in {"ed", "ing", "er", "est"} and _DOUBLED.search(base):
                    yield base[:-1]


def bare(token: str) -> str:
    """Return a word of a sentence without the punctuation around it."""
    return token.strip('.,?!;:"')


class Lexicon:
    """The levels of English words, from CEFR-J."""

    def __init__(self, words: Iterable[Word]) -> None:
        self._levels: dict[str, Level] = {}
        parts: dict[str, Level] = {}
        for word in words:
            for form in (word.headword, *word.variants):
                self._note(self._levels, form, word.level)
                for part in form.split():
                    self._note(parts, part, word.level)
        # Words that only compounds have: who knows `grocery store` can read `grocery`.
        self._levels = parts | self._levels

    @staticmethod
    def _note(levels: dict[str, Level], form: str, level: Level) -> None:
        """Keep the lowest level of a form."""
        levels[form.casefold()] = min(level, levels.get(form.casefold(), level))

    def level_of(self, token: str) -> Level | None:
        """Return the level at which a word (in any form) is learnt; None if CEFR-J lacks it."""
        lowered = bare(token).casefold()
        parts = _CONTRACTIONS.get(lowered, (lowered,))
        levels = [
            min((self._levels[form] for form in base_forms(part) if form in self._levels), default=None)
            for part in parts
        ]
        known = [level for level in levels if level is not None]
        return max(known) if len(known) == len(levels) else None

    def sentence_level(self, tokens: Iterable[str], names: frozenset[str]) -> Level | None:
        """Return the highest level among a sentence's words, names aside; None if CEFR-J lacks one of them."""
        highest: Level = LEVELS[0]
        for token in tokens:
            if is_name(token, names):
                continue
            level = self.level_of(token)
            if level is None:
                return None
            highest = max(highest, level)
        return highest


def is_name(token: str, names: frozenset[str]) -> bool:
    """Return whether a word (perhaps with 's) is one of the names."""
    return bare(token).removesuffix("'s") in names


def names_of(sentences: Iterable[Iterable[str]]) -> frozenset[str]:
    """Return the names that occur in the sentences: words in capitals somewhere else than at the start; not I."""
    found = set()
    for sentence in sentences:
        for token in list(sentence)[1:]:
            word = bare(token).removesuffix("'s")
            if word[:1].isupper() and word.split("'")[0] != "I":
                found.add(word)
    return frozenset(found)


class Neighbours:
    """English words that one slip of the keyboard turns into each other (optimal string alignment distance 1)."""

    def __init__(self, words: Iterable[str]) -> None:
        self._by_deletion: dict[str, set[str]] = {}
        for word in {word.casefold() for word in words}:
            for shorter in self._deletions(word):
                self._by_deletion.setdefault(shorter, set()).add(word)

    @staticmethod
    def _deletions(word: str) -> set[str]:
        return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}

    def of(self, word: str) -> set[str]:
        """Return known words that may be at distance 1: all that are, and a few at distance 2."""
        near = set().union(*(self._by_deletion.get(shorter, set()) for shorter in self._deletions(word.casefold())))
        return near - {word.casefold()}
