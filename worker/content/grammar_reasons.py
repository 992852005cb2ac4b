"""Why a sentence is right: the explanation of one minimal pair, in English and Indonesian."""

from collections.abc import Callable, Mapping
from typing import Final

from worker.content.english import VERB_FORMS
from worker.content.sources.blimp import MinimalPair
from worker.content.wording import quoted

Reason = tuple[str, str]
"""The same text in English and in Indonesian."""

_REFERENTS: Final = {
    "himself": ("one man or boy", "satu orang laki-laki"),
    "herself": ("one woman or girl", "satu orang perempuan"),
    "itself": ("one thing, animal or organization", "satu benda, hewan, atau lembaga"),
    "themselves": ("more than one", "lebih dari satu"),
}
_PLURAL_FORMS: Final = frozenset({"are", "aren't", "were", "weren't", "have", "haven't", "do", "don't"})
_SINGULAR_FORMS: Final = frozenset({"is", "isn't", "was", "wasn't", "has", "hasn't", "does", "doesn't"})


def reason(pair: MinimalPair) -> Reason:
    """Return why the right word is right in this sentence.

    Raises:
        KeyError: the paradigm is not one of those that are taught.
    """
    return _REASONS[pair.paradigm](pair)


def is_singular(pair: MinimalPair) -> bool:
    """Return whether the right verb form is the singular one."""
    if pair.right in _SINGULAR_FORMS | _PLURAL_FORMS:
        return pair.right in _SINGULAR_FORMS
    return len(pair.right) > len(pair.wrong)


def determiner(pair: MinimalPair) -> str:
    """Return the this, that, these or those before the noun that differs."""
    return next(
        word for word in reversed(pair.good[: pair.at]) if word.casefold() in {"this", "that", "these", "those"}
    )


def _reflexive(pair: MinimalPair) -> Reason:
    english, indonesian = _REFERENTS[pair.right]
    return (
        f"The subject is {english}, so the pronoun is {quoted(pair.right)}, not {quoted(pair.wrong)}.",
        f"Subjeknya {indonesian}, jadi kata gantinya {quoted(pair.right)}, bukan {quoted(pair.wrong)}.",
    )


def _noun(pair: MinimalPair) -> Reason:
    word = determiner(pair).casefold()
    singular = word in {"this", "that"}
    number, number_id = ("singular", "tunggal") if singular else ("plural", "jamak")
    return (
        f"{quoted(word)} goes with a {number} noun: {quoted(pair.right)}, not {quoted(pair.wrong)}.",
        f"{quoted(word)} dipakai dengan kata benda {number_id}: {quoted(pair.right)}, bukan {quoted(pair.wrong)}.",
    )


def _verb(pair: MinimalPair) -> Reason:
    number, number_id = ("singular", "tunggal") if is_singular(pair) else ("plural", "jamak")
    subject = quoted(" ".join(pair.good[: pair.at]))
    return (
        f"The subject {subject} is {number}, so the verb is {quoted(pair.right)}, not {quoted(pair.wrong)}.",
        f"Subjek {subject} berbentuk {number_id}, jadi kata kerjanya {quoted(pair.right)}, bukan {quoted(pair.wrong)}.",
    )


def _past(pair: MinimalPair) -> Reason:
    forms = " – ".join(VERB_FORMS[pair.right])
    return (
        f"The forms are {forms}. Without have or be, the past simple {quoted(pair.right)} is needed.",
        f"Bentuknya {forms}. Tanpa have atau be, yang diperlukan adalah past simple {quoted(pair.right)}.",
    )


def _participle(pair: MinimalPair) -> Reason:
    forms = " – ".join(VERB_FORMS[pair.right])
    noun = quoted(pair.good[pair.at + 1])
    return (
        f"The forms are {forms}. Before the noun {noun}, the past participle {quoted(pair.right)} is needed.",
        f"Bentuknya {forms}. Di depan kata benda {noun}, yang diperlukan adalah past participle {quoted(pair.right)}.",
    )


def _quantifier(pair: MinimalPair) -> Reason:
    start = quoted(" ".join(pair.good[: pair.at]))
    right, wrong = quoted(pair.right), quoted(pair.wrong)
    return (
        f"After {start} comes something new and indefinite: {right} is possible, {wrong} is not.",
        f"Setelah {start} harus ada sesuatu yang baru dan tak tentu: {right} boleh, {wrong} tidak.",
    )


_REASONS: Final[Mapping[str, Callable[[MinimalPair], Reason]]] = {
    "anaphor_gender_agreement": _reflexive,
    "anaphor_number_agreement": _reflexive,
    "determiner_noun_agreement_1": _noun,
    "existential_there_quantifiers_1": _quantifier,
    "irregular_past_participle_adjectives": _participle,
    "irregular_past_participle_verbs": _past,
    "irregular_plural_subject_verb_agreement_1": _verb,
    "regular_plural_subject_verb_agreement_1": _verb,
}
