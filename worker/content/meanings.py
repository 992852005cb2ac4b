"""Which meanings may stand beside each other in one question: no wrong option may be right after all."""

from collections.abc import Iterable, Sequence
from itertools import combinations
from random import Random
from typing import Final

from worker.content.english import Neighbours
from worker.content.indonesian import roots
from worker.content.sources.cefrj import Word
from worker.content.sources.freedict import Entry
from worker.content.values import drawn
from worker.content.vocabulary import Item, entry_meanings, same_pos

TYPO_MIN_LETTERS: Final = 6
"""Shorter words are too close to each other to forgive a slip."""

_SMALL_POOL: Final = 15
"""Words among which all combinations are tried when the first ones that come stand in each other's way."""


class MeaningIndex:
    """What is known of all words together.

    Building it costs one pass over the words and the dictionary; `distractors` then costs a few set operations for
    each candidate it looks at, of which there are as many as a level has words of one part of speech (1,000 at most).
    """

    def __init__(self, words: Iterable[Word], items: Sequence[Item], entries: Sequence[Entry]) -> None:
        self._pools: dict[tuple[str, str], list[Item]] = {}
        self._roots: dict[str, frozenset[str]] = {}
        self._glossed: dict[str, frozenset[str]] = {}
        self._synonyms: dict[str, set[str]] = {}
        self._by_meaning: dict[str, list[Item]] = {}
        self._entries_by_meaning: dict[str, list[Entry]] = {}
        spellings: set[str] = set()
        taught: set[str] = set()
        for word in words:
            forms = (word.headword, *word.variants)
            taught.update(forms)
            spellings.update(forms)
        for item in items:
            self._pools.setdefault((item.word.level, item.word.pos), []).append(item)
            self._roots[item.word.key] = frozenset().union(*(roots(meaning) for meaning in item.known))
            words_of_glosses = " ".join(item.glosses).casefold().replace(",", " ").replace(";", " ").split()
            self._glossed[item.word.key] = frozenset(words_of_glosses)
            for meaning in item.meanings:
                self._by_meaning.setdefault(meaning.casefold(), []).append(item)
        for entry in entries:
            spellings.add(entry.headword)
            if entry.headword not in taught:
                for meaning in entry_meanings(entry):
                    self._entries_by_meaning.setdefault(meaning.casefold(), []).append(entry)
        self._neighbours = Neighbours(spellings)
        self._link_synonyms(items)

    def _link_synonyms(self, items: Iterable[Item]) -> None:
        sharing: dict[str, set[str]] = {}
        for item in items:
            for meaning in item.known:
                sharing.setdefault(meaning, set()).add(item.word.headword)
        for item in items:
            group = self._synonyms.setdefault(item.word.headword, set())
            group.update(*(sharing[meaning] for meaning in item.known))

    def clash(self, one: Item, other: Item) -> bool:
        """Return whether two words are too close in meaning for a question that tells them apart.

        They are if they are spelt alike, share a meaning or a root of one, have a synonym in common, if one is used to
        explain the other, or if one's meaning is spelt like the other (`air` is water, and what we breathe).
        """
        first, second = one.word, other.word
        return (
            first.headword == second.headword
            or not self._roots[first.key].isdisjoint(self._roots[second.key])
            or not self._synonyms[first.headword].isdisjoint(self._synonyms[second.headword])
            or one.meaning.casefold() == second.headword.casefold()
            or other.meaning.casefold() == first.headword.casefold()
            or first.headword.casefold() in self._glossed[second.key]
            or second.headword.casefold() in self._glossed[first.key]
        )

    def distractors(self, right: Sequence[Item], count: int, chance: Random) -> list[Item]:
        """Return `count` words of the first item's level and part of speech that are wrong where the items are right.

        None of them clashes with an item, nor with another of them, and none is an item's spelling. Fewer if there are
        not enough; whether there are does not depend on chance but for unlucky picks from a middling pool.
        """
        spelt = {form.casefold() for item in right for form in (item.word.headword, *item.word.variants)}
        pool = self._pools[right[0].word.level, right[0].word.pos]
        candidates = (
            candidate
            for candidate in drawn(pool, chance)
            if candidate.meaning.casefold() not in spelt and not any(self.clash(item, candidate) for item in right)
        )
        chosen: list[Item] = []
        passed_over: list[Item] = []
        for candidate in candidates:
            if any(self.clash(candidate, other) for other in chosen):
                passed_over.append(candidate)
            else:
                chosen.append(candidate)
            if len(chosen) == count:
                return chosen
        few = [*chosen, *passed_over]
        if len(few) <= _SMALL_POOL:
            return self._any_apart(few, count) or chosen
        return chosen

    def _any_apart(self, candidates: Sequence[Item], count: int) -> list[Item] | None:
        """Return the first `count` of a few words of which no two clash, if there are so many."""
        for group in combinations(candidates, count):
            if not any(self.clash(one, other) for one, other in combinations(group, 2)):
                return list(group)
        return None

    def sharing(self, item: Item) -> list[Item]:
        """Return the other words of the same part of speech that are taught with the meaning asked for this one."""
        return [
            other
            for other in self._by_meaning[item.meaning.casefold()]
            if other.word.key != item.word.key and other.word.pos == item.word.pos
        ]

    def accepted(self, item: Item) -> list[str]:
        """Return the English words that answer to the item's meaning and start like it, the item's own forms first.

        Words that CEFR-J has count with the meanings they are taught with; others with those of the dictionary.
        """
        initial = item.word.headword[0].casefold()
        others = [other.word.headword for other in self.sharing(item)]
        others += [
            entry.headword
            for entry in self._entries_by_meaning.get(item.meaning.casefold(), ())
            if entry.pos is not None and same_pos(item.word.pos, entry.pos)
        ]
        synonyms = sorted({other for other in others if other[0].casefold() == initial})
        return list(dict.fromkeys([item.word.headword, *item.word.variants, *synonyms]))

    def typos_allowed(self, accepted: Sequence[str]) -> int:
        """Return 1 if one slip of the keyboard can be forgiven: the words are long, and no other is a slip away."""
        known = {word.casefold() for word in accepted}
        forgiving = all(len(word) >= TYPO_MIN_LETTERS and self._neighbours.of(word) <= known for word in known)
        return int(forgiving)
