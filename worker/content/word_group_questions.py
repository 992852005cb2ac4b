"""Questions about several words of a lesson at once: match words and meanings, choose all meanings or all words."""

from collections.abc import Sequence
from typing import Final

from worker.content.meanings import MeaningIndex
from worker.content.options import lettered, paired
from worker.content.values import Question, generator
from worker.content.vocabulary import Item
from worker.content.word_questions import named, says
from worker.content.wording import VOCABULARY_SOURCE, listed, quoted, stopped, usual_time

PAIRS: Final = 5
SELECT_OPTIONS: Final = 5
_MAX_RIGHT: Final = 3


def unambiguous(items: Sequence[Item], index: MeaningIndex) -> list[Item]:
    """Return the first five of the words that can be told apart by meaning, pair by pair; fewer if there are none."""
    chosen: list[Item] = []
    for item in items:
        if len(chosen) == PAIRS:
            break
        if not any(index.clash(item, other) for other in chosen):
            chosen.append(item)
    return chosen


def match_meanings(items: Sequence[Item], key: str, topic: str, seed: int) -> Question:
    """Return a matching question of words and their meanings; `key` says which one of the lesson it is."""
    key = f"words/match-meanings/{key}"
    options, pairs = paired(
        [item.word.headword for item in items], [item.meaning for item in items], generator(seed, key)
    )
    answers = "; ".join(f"{item.word.headword} = {item.meaning}" for item in items)
    stem = "Match each English word with its Indonesian meaning."
    return Question(
        key=key,
        type="matching",
        stem=stem,
        stem_id="Pasangkan setiap kata bahasa Inggris dengan artinya dalam bahasa Indonesia.",
        options=options,
        answer_key={"pairs": pairs},
        explanation=f"The pairs: {answers}.",
        explanation_id=f"Pasangannya: {answers}.",
        level=items[0].word.level,
        skill="vocabulary",
        topic=topic,
        difficulty=2,
        usual_time_ms=usual_time(2_500 * len(items), stem, answers),
        source=VOCABULARY_SOURCE,
    )


def select_meanings(item: Item, topic: str, index: MeaningIndex, seed: int) -> Question | None:
    """Return “Choose all …” for a word that is taught with several meanings; None if it has one, or wrong ones lack."""
    right = item.meanings[:_MAX_RIGHT]
    key = f"word/select-meanings/{item.word.key}"
    chance = generator(seed, key)
    wrong = index.distractors([item], SELECT_OPTIONS - len(right), chance)
    if len(right) == 1 or len(right) + len(wrong) < SELECT_OPTIONS:
        return None
    texts = [*right, *(other.meaning for other in wrong)]
    options, ids = lettered(texts, chance)
    english, indonesian = named(item)
    said, said_id = says(item)
    rest = "; ".join(f"{quoted(other.meaning)} = {other.word.headword}" for other in wrong)
    stem = f"Choose all Indonesian words that {english} can mean."
    return Question(
        key=key,
        type="multiple_select",
        stem=stem,
        stem_id=f"Pilih semua arti kata {indonesian} dalam bahasa Indonesia.",
        options=options,
        answer_key={"correct": sorted(ids[: len(right)])},
        explanation=f"{said} The other options: {stopped(rest)}",
        explanation_id=f"{said_id} Pilihan lainnya: {stopped(rest)}",
        level=item.word.level,
        skill="vocabulary",
        topic=topic,
        difficulty=3,
        usual_time_ms=usual_time(5_000, stem, *texts),
        source=VOCABULARY_SOURCE,
    )


def select_words(item: Item, topic: str, index: MeaningIndex, seed: int) -> Question | None:
    """Return “Choose all English words that mean …” for a meaning that words share; None if there are not enough.

    The wrong words are too far from the meaning to be right in any sense the dictionary knows.
    """
    right = [item, *index.sharing(item)][:_MAX_RIGHT]
    key = f"word/select-words/{item.word.key}"
    chance = generator(seed, key)
    wrong = index.distractors(right, SELECT_OPTIONS - len(right), chance)
    words = [found.word.headword for found in (*right, *wrong)]
    if len(right) == 1 or len({word.casefold() for word in words}) < SELECT_OPTIONS:
        return None
    options, ids = lettered(words, chance)
    meant = listed(words[: len(right)])
    rest = "; ".join(f"{quoted(other.word.headword)} = {other.meaning}" for other in wrong)
    stem = f"Choose all English words that mean {quoted(item.meaning)}."
    return Question(
        key=key,
        type="multiple_select",
        stem=stem,
        stem_id=f"Pilih semua kata bahasa Inggris yang berarti {quoted(item.meaning)}.",
        options=options,
        answer_key={"correct": sorted(ids[: len(right)])},
        explanation=f"{meant} can mean {quoted(item.meaning)}. The other options: {stopped(rest)}",
        explanation_id=f"{meant} bisa berarti {quoted(item.meaning)}. Pilihan lainnya: {stopped(rest)}",
        level=item.word.level,
        skill="vocabulary",
        topic=topic,
        difficulty=3,
        usual_time_ms=usual_time(5_000, stem, *words),
        source=VOCABULARY_SOURCE,
    )
