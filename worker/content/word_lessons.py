"""Vocabulary lessons: about ten words of one topic each, and the questions on them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

from worker.content import topics, word_group_questions, word_questions
from worker.content.leaks import leaked_answer
from worker.content.meanings import MeaningIndex
from worker.content.sources.cefrj import SOURCE as CEFRJ
from worker.content.sources.freedict import SOURCE as FREEDICT
from worker.content.topics import Topic
from worker.content.values import LEVELS, Content, Lesson, Level, Question, stable_rank
from worker.content.vocabulary import Item
from worker.content.wording import POS_NAMES, credits_section

MAX_WORDS: Final = 11
"""Groups are divided evenly into as few lessons as hold them, so that one has 6 to 11 words."""
MIN_WORDS: Final = 6
_JUDGED_EVERY: Final = 3
"""Every third word of a lesson is judged true or false, the others are chosen among four."""


@dataclass(frozen=True, slots=True)
class WordGroup:
    """The words of one lesson."""

    level: Level
    topic: Topic
    position: int
    items: tuple[Item, ...]

    @property
    def slug(self) -> str:
        """Return the lesson's slug."""
        return f"vocabulary-{self.level.lower()}-{self.topic.slug}-{self.position}"


def word_content(items: Sequence[Item], index: MeaningIndex, seed: int) -> Content:
    """Return all vocabulary lessons, and all questions on words, those that no lesson has room for included."""
    lessons: list[Lesson] = []
    questions: dict[str, Question] = {}
    for group in grouped(items):
        in_lesson, others = _questions(group, index, seed)
        lessons.append(_lesson(group, in_lesson))
        questions |= {question.key: question for question in (*in_lesson, *others)}
    return Content(tuple(lessons), tuple(questions.values()))


def grouped(items: Sequence[Item]) -> Iterator[WordGroup]:
    """Yield the words in groups for lessons: by level, then topic, or part of speech for words without a topic.

    Topics with fewer than six words are dissolved. Within a topic the order is arbitrary but stable, because in the
    alphabet's order words that look alike would stand together.
    """
    for level in LEVELS:
        by_topic: dict[Topic, list[Item]] = {}
        for item in items:
            if item.word.level == level:
                topic = topics.topic_of_labels(item.word.topics) or topics.topic_of_pos(item.word.pos)
                by_topic.setdefault(topic, []).append(item)
        _dissolve_small(by_topic, lambda item: topics.topic_of_pos(item.word.pos))
        _dissolve_small(by_topic, lambda _item: topics.MIXED)
        _dissolve_small(by_topic, lambda _item: topics.NOUNS)
        for topic in sorted(by_topic, key=lambda topic: topic.slug):
            members = sorted(by_topic[topic], key=lambda item: stable_rank(item.word.key))
            for position, part in enumerate(_parts(members), start=1):
                yield WordGroup(level, topic, position, tuple(part))


def _dissolve_small(by_topic: dict[Topic, list[Item]], fallback: Any) -> None:
    small = [topic for topic, members in by_topic.items() if len(members) < MIN_WORDS]
    for item in [item for topic in small for item in by_topic.pop(topic)]:
        by_topic.setdefault(fallback(item), []).append(item)


def _parts(members: Sequence[Item]) -> Iterator[Sequence[Item]]:
    count = ceil(len(members) / MAX_WORDS)
    for part in range(count):
        yield members[len(members) * part // count : len(members) * (part + 1) // count]


def _questions(group: WordGroup, index: MeaningIndex, seed: int) -> tuple[list[Question], list[Question]]:
    """Return the lesson's questions in order (recognise, tell apart, produce) and the others on its words."""
    topic = group.topic.name
    recognise: list[Question] = []
    produce: list[Question] = []
    others: list[Question] = []
    selections: list[Question] = []
    for at, item in enumerate(group.items):
        chosen = next(iter(_fair(word_questions.choose_meaning(item, topic, index, seed))), None)
        judged = word_questions.judge_meaning(item, topic, index, seed)
        judge = chosen is None or at % _JUDGED_EVERY == _JUDGED_EVERY - 1
        recognise.append(judged if judge or chosen is None else chosen)
        others += [question for question in (chosen, judged) if question is not None and question is not recognise[-1]]
        (produce if at % 2 else others).extend(_fair(word_questions.write_word(item, topic, index)))
        selections += _fair(
            word_group_questions.select_meanings(item, topic, index, seed),
            word_group_questions.select_words(item, topic, index, seed),
        )
    first = word_group_questions.unambiguous(group.items, index)
    second = word_group_questions.unambiguous([item for item in group.items if item not in first], index)
    matches = [
        word_group_questions.match_meanings(words, f"{group.slug}/{number}", topic, seed)
        for number, words in enumerate((first, second), start=1)
        if len(words) == word_group_questions.PAIRS
    ]
    return [*recognise, *matches, *selections[:1], *produce], [*others, *selections[1:]]


def _fair(*questions: Question | None) -> list[Question]:
    """Return the questions that could be made and do not name their answer, as “Write the … for …” does for `for`."""
    return [question for question in questions if question is not None and leaked_answer(question) is None]


def _lesson(group: WordGroup, questions: Sequence[Question]) -> Lesson:
    words = [_shown(item) for item in group.items]
    some = ", ".join(item.word.headword for item in group.items[:3])
    title, title_id = f"{group.topic.name} {group.position}", f"{group.topic.name_id} {group.position}"
    count = len(words)
    return Lesson(
        slug=group.slug,
        title=title,
        title_id=title_id,
        description=f"{count} words of level {group.level}: {some} and others.",
        description_id=f"{count} kata tingkat {group.level}: {some}, dan lainnya.",
        level=group.level,
        skill="vocabulary",
        topic=group.topic.name,
        path=f"Vocabulary {group.level}",
        unit=group.topic.name,
        position=group.position,
        sections=[
            {
                "kind": "words",
                "title": "Words",
                "title_id": "Kosakata",
                "body": (
                    f"Read and say the {count} words of this lesson. Cover the Indonesian side and try to remember it."
                ),
                "body_id": (
                    f"Baca dan ucapkan {count} kata dalam pelajaran ini. Tutup bagian bahasa Indonesianya, lalu coba "
                    "ingat artinya."
                ),
                "words": words,
            },
            credits_section(CEFRJ, FREEDICT),
        ],
        questions=tuple(questions),
    )


def _shown(item: Item) -> dict[str, Any]:
    """Return a word as the lesson's list shows it."""
    name, name_id = POS_NAMES[item.word.pos]
    return {
        "word": item.word.headword,
        "variants": list(item.word.variants),
        "part_of_speech": name,
        "part_of_speech_id": name_id,
        "ipa": item.ipa,
        "meanings": list(item.meanings),
        "gloss": item.glosses[0] if item.glosses else None,
    }
