"""Grammar lessons: each paradigm at each level where it has enough sentences, a few lessons each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from worker.content import grammar_questions
from worker.content.english import Lexicon, names_of
from worker.content.grammar_choice import GradedPair, graded, lesson_rank, needs_gender_hint
from worker.content.paradigms import Paradigm
from worker.content.sources.blimp import SOURCE, MinimalPair
from worker.content.values import LEVELS, Content, Lesson, Level, Question
from worker.content.wording import credits_section

MAX_LESSONS: Final = 4
"""Of one paradigm at one level; more would be monotonous. The other pairs become questions of the bank."""
_CHOSEN, _FILLED, _JUDGED = 5, 5, 4
_RIGHT_COUNTS: Final = (2, 3)
"""How many sentences are right in the lesson's two questions that ask for all of them."""
_SINGLES: Final = _CHOSEN + _FILLED + _JUDGED
_PAIRS: Final = _SINGLES + len(_RIGHT_COUNTS) * grammar_questions.SELECT_PAIRS
_EXAMPLES: Final = 3

_Maker = Callable[[GradedPair, Paradigm, int, int], Question]
_SINGLE_MAKERS: Final[tuple[_Maker, ...]] = (
    *[grammar_questions.choose_sentence] * _CHOSEN,
    *[grammar_questions.fill_gap] * _FILLED,
    *[grammar_questions.judge_sentence] * _JUDGED,
)


def grammar_content(
    paradigms: Sequence[Paradigm],
    pairs: Mapping[str, Sequence[MinimalPair]],
    agreement: Mapping[str, float],
    lexicon: Lexicon,
    seed: int,
) -> Content:
    """Return all grammar lessons and questions.

    Args:
        paradigms: the points of grammar, in the order of the lessons.
        pairs: the pairs of each paradigm, by its UID.
        agreement: how far people agree with BLiMP, by UID.
        lexicon: the levels of words.
        seed: decides the order of options and which sentences to judge are bad.

    Raises:
        KeyError: pairs or agreement of a paradigm are missing.
    """
    names = names_of(pair.good for listed in pairs.values() for pair in listed)
    lessons: list[Lesson] = []
    questions: list[Question] = []
    for paradigm in paradigms:
        difficulty = grammar_questions.difficulty_of(agreement[paradigm.uid])
        fit = [found for pair in pairs[paradigm.uid] if (found := graded(pair, paradigm, lexicon, names))]
        for level in LEVELS:
            at_level = sorted((found for found in fit if found.level == level), key=lesson_rank)
            made, rest = _lessons(at_level, paradigm, level, difficulty, seed)
            lessons += made
            questions += [question for lesson in made for question in lesson.questions]
            makers = (grammar_questions.fill_gap, grammar_questions.choose_sentence, grammar_questions.judge_sentence)
            questions += [makers[at % len(makers)](found, paradigm, difficulty, seed) for at, found in enumerate(rest)]
    return Content(tuple(lessons), tuple(questions))


def _lessons(
    found: Sequence[GradedPair], paradigm: Paradigm, level: Level, difficulty: int, seed: int
) -> tuple[list[Lesson], list[GradedPair]]:
    """Return the lessons of a paradigm at a level, and the pairs they leave over."""
    hinted = [pair for pair in found if needs_gender_hint(pair)]
    plain = [pair for pair in found if not needs_gender_hint(pair)]
    lessons: list[Lesson] = []
    while len(lessons) < MAX_LESSONS and len(hinted) + len(plain) >= _PAIRS:
        # At most half of the single questions take a pair with a hint, and none of the questions with many sentences.
        with_hint = hinted[: _SINGLES // 2]
        needed = _PAIRS - len(with_hint)
        if needed > len(plain):
            break
        chosen, plain, hinted = plain[:needed], plain[needed:], hinted[len(with_hint) :]
        grouped, single = chosen[: _PAIRS - _SINGLES], chosen[_PAIRS - _SINGLES :]
        lessons.append(
            _lesson(paradigm, level, len(lessons) + 1, list(_mixed(with_hint, single)), grouped, difficulty, seed)
        )
    return lessons, [*plain, *hinted]


def _mixed(first: Sequence[GradedPair], second: Sequence[GradedPair]) -> Iterator[GradedPair]:
    """Yield from both by turns, so that every kind of question gets some of each."""
    for at in range(max(len(first), len(second))):
        yield from first[at : at + 1]
        yield from second[at : at + 1]


def _lesson(
    paradigm: Paradigm,
    level: Level,
    position: int,
    single: Sequence[GradedPair],
    grouped: Sequence[GradedPair],
    difficulty: int,
    seed: int,
) -> Lesson:
    questions = [make(pair, paradigm, difficulty, seed) for make, pair in zip(_SINGLE_MAKERS, single, strict=True)]
    for at, right_count in enumerate(_RIGHT_COUNTS):
        size = grammar_questions.SELECT_PAIRS
        of_question = grouped[at * size : (at + 1) * size]
        questions.append(grammar_questions.select_sentences(of_question, right_count, paradigm, difficulty, seed))
    return Lesson(
        slug=f"grammar-{level.lower()}-{paradigm.slug}-{position}",
        title=f"{paradigm.title} {position}",
        title_id=f"{paradigm.title_id} {position}",
        description=paradigm.rule.partition(": ")[0].split(". ")[0] + ".",
        description_id=paradigm.rule_id.partition(": ")[0].split(". ")[0] + ".",
        level=level,
        skill="grammar",
        topic=paradigm.title,
        path=f"Grammar {level}",
        unit=paradigm.title,
        position=position,
        sections=_sections(paradigm, grouped[:_EXAMPLES]),
        questions=tuple(questions),
    )


def _sections(paradigm: Paradigm, examples: Sequence[GradedPair]) -> list[dict[str, Any]]:
    return [
        {
            "kind": "explanation",
            "title": "The rule",
            "title_id": "Aturannya",
            "body": paradigm.rule,
            "body_id": paradigm.rule_id,
        },
        {
            "kind": "tip",
            "title": "For speakers of Indonesian",
            "title_id": "Untuk penutur bahasa Indonesia",
            "body": paradigm.tip,
            "body_id": paradigm.tip_id,
        },
        {
            "kind": "examples",
            "title": "Examples",
            "title_id": "Contoh",
            "body": (
                "Compare the right and the wrong sentence. The sentences of this lesson were made by a program: look "
                "at their grammar, even where what they say is a little odd."
            ),
            "body_id": (
                "Bandingkan kalimat yang benar dengan yang salah. Kalimat dalam pelajaran ini dibuat oleh program: "
                "perhatikan tata bahasanya, walaupun isinya kadang agak aneh."
            ),
            "examples": [{"right": found.pair.good_sentence, "wrong": found.pair.bad_sentence} for found in examples],
        },
        credits_section(SOURCE),
    ]
