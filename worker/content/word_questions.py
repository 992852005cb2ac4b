"""Questions about one word: choose its meaning, judge a meaning, write the word."""

from difflib import SequenceMatcher
from typing import Final

from worker.content.meanings import MeaningIndex
from worker.content.options import lettered
from worker.content.values import Question, generator
from worker.content.vocabulary import Item
from worker.content.wording import POS_NAMES, VOCABULARY_SOURCE, listed, quoted, stopped, usual_time

OPTIONS: Final = 4
_ALIKE: Final = 0.7
"""Likeness of spelling from which on a word is easy: music, musik."""


def named(item: Item) -> tuple[str, str]:
    """Return the word as a question names it, in English and in Indonesian: “house” (noun)."""
    name, name_id = POS_NAMES[item.word.pos]
    word = quoted(item.word.headword)
    return f"{word} ({name})", f"{word} ({name_id})"


def ease(item: Item) -> int:
    """Return 1 if the meaning is spelt much like the word, else 0: so much lower is the difficulty."""
    return int(SequenceMatcher(None, item.word.headword.casefold(), item.meaning.casefold()).ratio() >= _ALIKE)


def says(item: Item) -> tuple[str, str]:
    """Return a sentence on what a word means, with all meanings taught, in both languages."""
    english, indonesian = named(item)
    more = item.meanings[1:]
    also = f" It can also mean {listed(more)}." if more else ""
    also_id = f" Bisa juga berarti {listed(more)}." if more else ""
    return f"{english} means {quoted(item.meaning)}.{also}", f"{indonesian} berarti {quoted(item.meaning)}.{also_id}"


def choose_meaning(item: Item, topic: str, index: MeaningIndex, seed: int) -> Question | None:
    """Return “What does … mean in Indonesian?” with four options; None if there are not enough wrong ones."""
    key = f"word/choose-meaning/{item.word.key}"
    chance = generator(seed, key)
    others = index.distractors([item], OPTIONS - 1, chance)
    if len(others) < OPTIONS - 1:
        return None
    texts = [item.meaning, *(other.meaning for other in others)]
    options, ids = lettered(texts, chance)
    english, indonesian = named(item)
    said, said_id = says(item)
    stem = f"What does {english} mean in Indonesian?"
    rest = "; ".join(f"{quoted(other.meaning)} = {other.word.headword}" for other in others)
    return Question(
        key=key,
        type="multiple_choice",
        stem=stem,
        stem_id=f"Apa arti kata {indonesian} dalam bahasa Indonesia?",
        options=options,
        answer_key={"correct": ids[0]},
        explanation=f"{said} The other options: {stopped(rest)}",
        explanation_id=f"{said_id} Pilihan lainnya: {stopped(rest)}",
        level=item.word.level,
        skill="vocabulary",
        topic=topic,
        difficulty=2 - ease(item),
        usual_time_ms=usual_time(2_000, stem, *texts),
        source=VOCABULARY_SOURCE,
    )


def judge_meaning(item: Item, topic: str, index: MeaningIndex, seed: int) -> Question:
    """Return a statement on what a word means, true or false by chance; true if there is no meaning that is wrong."""
    key = f"word/judge-meaning/{item.word.key}"
    chance = generator(seed, key)
    others = index.distractors([item], 1, chance) if chance.random() < 1 / 2 else []
    shown = others[0].meaning if others else item.meaning
    english, indonesian = named(item)
    said, said_id = says(item)
    if others:
        said += f" {quoted(shown)} is {quoted(others[0].word.headword)}."
        said_id += f" {quoted(shown)} adalah {quoted(others[0].word.headword)}."
    stem = f"True or false? {english} means {quoted(shown)}."
    return Question(
        key=key,
        type="true_false",
        stem=stem,
        stem_id=f"Benar atau salah? {indonesian} berarti {quoted(shown)}.",
        options=[],
        answer_key={"correct": not others},
        explanation=said,
        explanation_id=said_id,
        level=item.word.level,
        skill="vocabulary",
        topic=topic,
        difficulty=2 - ease(item),
        usual_time_ms=usual_time(1_500, stem),
        source=VOCABULARY_SOURCE,
    )


def write_word(item: Item, topic: str, index: MeaningIndex) -> Question:
    """Return “Write the English noun for …”, with the first letter given so that the answer is determined."""
    accepted = index.accepted(item)
    typos = index.typos_allowed(accepted)
    name, name_id = POS_NAMES[item.word.pos]
    said, said_id = says(item)
    if item.word.variants:
        said += f" Also written {listed(item.word.variants)}."
        said_id += f" Juga ditulis {listed(item.word.variants)}."
    initial = quoted(item.word.headword[0])
    stem = f"Write the English {name} for {quoted(item.meaning)}. It starts with {initial}."
    return Question(
        key=f"word/write-word/{item.word.key}",
        type="short_answer",
        stem=stem,
        stem_id=f"Tulis {name_id} bahasa Inggris untuk {quoted(item.meaning)}. Kata itu diawali huruf {initial}.",
        options=[],
        answer_key={"accepted": accepted, "typos": typos} if typos else {"accepted": accepted},
        explanation=said,
        explanation_id=said_id,
        level=item.word.level,
        skill="vocabulary",
        topic=topic,
        difficulty=4 - ease(item),
        usual_time_ms=usual_time(3_000, stem, typed=len(item.word.headword)),
        source=VOCABULARY_SOURCE,
    )
