"""Reading lessons: eight sentences of one level, understood first, completed next, put together last."""

from collections.abc import Sequence
from math import ceil
from typing import Any, Final

from worker.content import sentence_questions
from worker.content.sentence_choice import Sentence
from worker.content.sources.cefrj import SOURCE as CEFRJ
from worker.content.sources.freedict import SOURCE as FREEDICT
from worker.content.sources.tatoeba import SOURCE
from worker.content.values import LEVELS, Content, Lesson, Level, Question
from worker.content.wording import credits_section

MAX_SENTENCES: Final = 9
"""Sentences are divided evenly into as few lessons as hold them."""
_UNIT: Final = "Everyday sentences"
_UNIT_ID: Final = "Kalimat sehari-hari"


def sentence_content(sentences: Sequence[Sentence], seed: int) -> Content:
    """Return all reading lessons and their questions: each sentence understood or completed, then put in order."""
    lessons: list[Lesson] = []
    for level in LEVELS:
        at_level = [sentence for sentence in sentences if sentence.level == level]
        count = ceil(len(at_level) / MAX_SENTENCES)
        for part in range(count):
            some = at_level[len(at_level) * part // count : len(at_level) * (part + 1) // count]
            lessons.append(_lesson(level, part + 1, some, at_level, seed))
    return Content(tuple(lessons), tuple(question for lesson in lessons for question in lesson.questions))


def _lesson(level: Level, position: int, some: Sequence[Sentence], at_level: Sequence[Sentence], seed: int) -> Lesson:
    understood: list[Question] = []
    completed: list[Question] = []
    for at, sentence in enumerate(some):
        gap = sentence_questions.fill_gap(sentence)
        # By turns where there is a choice, so that a lesson has both.
        meaning = (
            sentence_questions.choose_translation(sentence, at_level, seed) if at % 2 == 0 or gap is None else None
        )
        if meaning is not None:
            understood.append(meaning)
        elif gap is not None:
            completed.append(gap)
    ordered = [sentence_questions.order_words(sentence, seed) for sentence in some]
    return Lesson(
        slug=f"reading-{level.lower()}-everyday-sentences-{position}",
        title=f"{_UNIT} {position}",
        title_id=f"{_UNIT_ID} {position}",
        description=f"Understand {len(some)} sentences of level {level} and put them together.",
        description_id=f"Pahami {len(some)} kalimat tingkat {level} dan susunlah kembali.",
        level=level,
        skill="reading",
        topic=sentence_questions.TOPIC,
        path=f"Reading {level}",
        unit=_UNIT,
        position=position,
        sections=[
            {
                "kind": "explanation",
                "title": "Word order",
                "title_id": "Urutan kata",
                "body": (
                    "An English statement has the order subject – verb – object: Tom closed the door. In a question a "
                    "helping verb comes before the subject: Did Tom close the door? Adjectives stand before their "
                    "noun: a red house."
                ),
                "body_id": (
                    "Kalimat berita bahasa Inggris berurutan subjek – kata kerja – objek: Tom closed the door. Dalam "
                    "kalimat tanya, kata kerja bantu mendahului subjek: Did Tom close the door? Kata sifat berada di "
                    "depan kata bendanya: a red house (rumah merah)."
                ),
            },
            {
                "kind": "words",
                "title": "Words to know",
                "title_id": "Kata yang perlu diketahui",
                "body": "Words that occur in the sentences of this lesson.",
                "body_id": "Kata-kata yang muncul dalam kalimat pelajaran ini.",
                "words": _words(some),
            },
            credits_section(SOURCE, CEFRJ, FREEDICT),
        ],
        questions=(*understood, *completed, *ordered),
    )


def _words(sentences: Sequence[Sentence]) -> list[dict[str, Any]]:
    """Return the gaps' words with their meanings, each once, in alphabetical order."""
    items = {sentence.gap.item.word.headword: sentence.gap.item for sentence in sentences if sentence.gap}
    return [{"word": word, "meanings": list(items[word].meanings)} for word in sorted(items)]
