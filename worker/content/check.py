"""What must hold of every question and lesson before it reaches a learner; each fault is a sentence."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from worker.content.leaks import leaked_answer
from worker.content.values import Content, Lesson, Question

MIN_QUESTIONS, MAX_QUESTIONS = 8, 20
"""Questions of a lesson."""
_TEXTS: Final = ("stem", "stem_id", "explanation", "explanation_id", "topic", "source")


def faults(content: Content) -> list[str]:
    """Return all that is wrong with the content; empty if all is well. One pass over it."""
    found = [f"{question.key}: {fault}" for question in content.questions for fault in _question_faults(question)]
    found += [f"{lesson.slug}: {fault}" for lesson in content.lessons for fault in _lesson_faults(lesson)]
    known = {question.key for question in content.questions}
    for name, keys in (
        ("question key", [question.key for question in content.questions]),
        ("lesson slug", [lesson.slug for lesson in content.lessons]),
    ):
        found += [f"{name} {key} occurs {count} times" for key, count in Counter(keys).items() if count > 1]
    for lesson in content.lessons:
        found += [
            f"{lesson.slug}: question {question.key} is not in the bank"
            for question in lesson.questions
            if question.key not in known
        ]
    return found


def _question_faults(question: Question) -> Iterator[str]:
    for name in _TEXTS:
        if not getattr(question, name).strip():
            yield f"{name} is empty"
    for side in _sides(question.options):
        ids = [option["id"] for option in side]
        texts = [option["text"].casefold() for option in side]
        if len(set(ids)) != len(ids):
            yield "option ids repeat"
        if not all(text.strip() for text in texts):
            yield "an option has no text"
        # The words of a sentence may repeat; grading takes them as equal.
        if question.type != "ordering" and len(set(texts)) != len(texts):
            yield "option texts repeat"
    if (leaked := leaked_answer(question)) is not None:
        yield f"the stem gives {leaked!r} away"


def _lesson_faults(lesson: Lesson) -> Iterator[str]:
    if not MIN_QUESTIONS <= len(lesson.questions) <= MAX_QUESTIONS:
        yield f"has {len(lesson.questions)} questions"
    if len({question.key for question in lesson.questions}) != len(lesson.questions):
        yield "a question occurs twice"
    if not lesson.sections:
        yield "has no section"
    for section in lesson.sections:
        if missing := [name for name in ("kind", "title", "title_id", "body", "body_id") if not section.get(name)]:
            yield f"a section lacks {', '.join(missing)}"


def _sides(options: Any) -> list[list[dict[str, str]]]:
    """Return the lists of options: two for matching, one for the other types."""
    return list(options.values()) if isinstance(options, dict) else [options]
