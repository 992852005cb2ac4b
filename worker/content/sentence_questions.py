"""Questions on sentences with a translation: put the words in order, fill a gap, choose the meaning."""

from collections.abc import Sequence
from typing import Final

from worker.content.options import lettered, ordered_tokens
from worker.content.sentence_choice import Sentence, alike
from worker.content.sources.tatoeba import SOURCE
from worker.content.values import Question, generator
from worker.content.wording import quoted, usual_time

TOPIC: Final = "Everyday sentences"
OPTIONS: Final = 4
_MAX_ALIKE: Final = 0.5
"""Sentences that share more of their words might mean the same."""
_MAX_DIFFERENCE: Final = 2
"""Words by which a wrong option may be longer or shorter."""
_LONG: Final = 7
"""Words from which on a sentence is hard to put in order."""


def order_words(sentence: Sentence, seed: int) -> Question:
    """Return the words of a sentence to be put in the order that its translation asks for."""
    key = f"sentence/order-words/{sentence.pair.line}"
    options, order = ordered_tokens(sentence.tokens, generator(seed, key))
    stem = f"Put the words in order: {quoted(sentence.indonesian)}"
    return Question(
        key=key,
        type="ordering",
        stem=stem,
        stem_id=f"Susunlah kata-kata ini menjadi kalimat bahasa Inggris: {quoted(sentence.indonesian)}",
        options=options,
        answer_key={"order": order},
        explanation=f"{quoted(sentence.pair.english)} means {quoted(sentence.indonesian)}",
        explanation_id=f"{quoted(sentence.pair.english)} berarti {quoted(sentence.indonesian)}",
        level=sentence.level,
        skill="reading",
        topic=TOPIC,
        difficulty=4 if len(sentence.tokens) >= _LONG else 3,
        usual_time_ms=usual_time(2_000 * len(sentence.tokens), stem, sentence.pair.english),
        source=SOURCE,
    )


def fill_gap(sentence: Sentence) -> Question | None:
    """Return the sentence with a gap of which the first letter is given, or None if no word is fit for it."""
    gap = sentence.gap
    if gap is None:
        return None
    blank = gap.word[0] + "_" * (len(gap.word) - 1)
    gapped = " ".join(
        token.replace(gap.word, blank, 1) if at == gap.at else token for at, token in enumerate(sentence.tokens)
    )
    base = gap.item.word.headword
    note = "" if base == gap.word.casefold() else f" It is a form of {quoted(base)}."
    note_id = "" if base == gap.word.casefold() else f" Kata itu bentuk dari {quoted(base)}."
    translation = quoted(sentence.indonesian)
    stem = f"Complete the translation of {translation}: {gapped} (Write the whole word: {len(gap.word)} letters.)"
    return Question(
        key=f"sentence/fill-gap/{sentence.pair.line}",
        type="fill_blank",
        stem=stem,
        stem_id=f"Lengkapi terjemahan {translation}: {gapped} (Tulis katanya secara utuh: {len(gap.word)} huruf.)",
        options=[],
        answer_key={"blanks": [[gap.word]]},
        explanation=f"The missing word is {quoted(gap.word)}.{note} {quoted(sentence.pair.english)}",
        explanation_id=f"Kata yang hilang adalah {quoted(gap.word)}.{note_id} {quoted(sentence.pair.english)}",
        level=max(sentence.level, gap.item.word.level),
        skill="reading",
        topic=TOPIC,
        difficulty=3,
        usual_time_ms=usual_time(4_000, stem, typed=len(gap.word)),
        source=f"{SOURCE} + cefrj + freedict-eng-ind",
    )


def choose_translation(sentence: Sentence, others: Sequence[Sentence], seed: int) -> Question | None:
    """Return “What does … mean?” with four translations; None if there are not enough wrong ones.

    Wrong ones are translations of sentences about as long, those that share a word first, none too much like the right
    one or like each other.
    """
    key = f"sentence/choose-translation/{sentence.pair.line}"
    chance = generator(seed, key)
    shuffled = chance.sample(others, len(others))
    length = len(sentence.tokens)
    # sorted() is stable: chance decides among those that share as much.
    candidates = sorted(
        (other for other in shuffled if abs(len(other.tokens) - length) <= _MAX_DIFFERENCE),
        key=lambda other: -alike(sentence.indonesian, other.indonesian),
    )
    picked = [sentence]
    for other in candidates:
        if len(picked) < OPTIONS and not any(_too_close(other, present) for present in picked):
            picked.append(other)
    if len(picked) < OPTIONS:
        return None
    texts = [found.indonesian for found in picked]
    options, ids = lettered(texts, chance)
    english = quoted(sentence.pair.english)
    stem = f"What does {english} mean in Indonesian?"
    rest = " ".join(f"{quoted(found.indonesian)} = {quoted(found.pair.english)}" for found in picked[1:])
    return Question(
        key=key,
        type="multiple_choice",
        stem=stem,
        stem_id=f"Apa arti {english} dalam bahasa Indonesia?",
        options=options,
        answer_key={"correct": ids[0]},
        explanation=f"{english} means {quoted(sentence.indonesian)} The other options: {rest}",
        explanation_id=f"{english} berarti {quoted(sentence.indonesian)} Pilihan lainnya: {rest}",
        level=sentence.level,
        skill="reading",
        topic=TOPIC,
        difficulty=2,
        usual_time_ms=usual_time(3_000, stem, *texts),
        source=SOURCE,
    )


def _too_close(one: Sentence, other: Sentence) -> bool:
    """Return whether two sentences may mean the same."""
    return (
        one.pair.line == other.pair.line
        or alike(one.indonesian, other.indonesian) > _MAX_ALIKE
        or alike(one.pair.english, other.pair.english) > _MAX_ALIKE
    )
