"""The whole of the content, as it is loaded."""

import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from worker.attempts.grading import grade
from worker.content.build import build_content
from worker.content.check import faults
from worker.content.values import Content, Question
from worker.content.vocabulary import Item
from worker.demo.answers import SimulatedQuestion, right_answer

Items = dict[tuple[str, str], Item]
TYPES = {"multiple_choice", "multiple_select", "true_false", "fill_blank", "short_answer", "matching", "ordering"}


@pytest.fixture(scope="module")
def other_seed() -> Content:
    return build_content(2)


def question(content: Content, key: str) -> Question:
    return next(found for found in content.questions if found.key == key)


def texts(found: Question) -> dict[str, str]:
    return {option["id"]: option["text"] for option in found.options}


def test_content_has_no_fault(content: Content):
    assert faults(content) == []


def test_all_types_levels_and_skills_occur(content: Content):
    assert {found.type for found in content.questions} == TYPES
    levels = Counter((lesson.skill, lesson.level) for lesson in content.lessons)
    assert set(levels) == {
        (skill, level) for skill in ("vocabulary", "grammar", "reading") for level in ("A1", "A2", "B1", "B2")
    }
    assert len(content.questions) > 15_000
    assert len(content.lessons) > 400


def test_answer_of_its_own_key_gets_full_credit_for_each_question(content: Content):
    for found in content.questions:
        simulated = SimulatedQuestion(
            found.id, found.type, found.options, found.answer_key, found.difficulty, found.usual_time_ms
        )
        result = grade(found.type, found.options, found.answer_key, right_answer(simulated))
        assert result.is_correct, found.key
        assert result.score == 1, found.key


def test_each_wrong_choice_of_a_question_is_wrong(content: Content):
    for found in content.questions:
        if found.type == "multiple_choice":
            grades = [
                grade(found.type, found.options, found.answer_key, {"choice": option["id"]}).score
                for option in found.options
            ]
            assert sorted(grades) == [0] * (len(found.options) - 1) + [1], found.key


def test_same_seed_gives_the_same_content_to_the_byte_in_another_process(content: Content):
    code = "from worker.content.build import build_content; print(build_content(1).digest())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": "4321"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == content.digest()


def test_another_seed_keeps_questions_and_lessons_and_changes_what_chance_decides(
    content: Content, other_seed: Content
):
    assert [found.id for found in other_seed.questions] == [found.id for found in content.questions]
    assert [found.id for found in other_seed.lessons] == [found.id for found in content.lessons]
    for lesson, other in zip(content.lessons, other_seed.lessons, strict=True):
        assert [found.id for found in lesson.questions] == [found.id for found in other.questions]
    assert other_seed.digest() != content.digest()
    assert faults(other_seed) == []


def test_ids_are_stable_and_unique(content: Content):
    assert len({found.id for found in content.questions}) == len(content.questions)
    # A stored attempt refers to its question by id: these must never change.
    assert str(question(content, "word/choose-meaning/water|noun").id) == "e28617d7-b692-5849-8cf7-ba96e3342d15"
    assert {found.id.version for found in content.questions} == {5}
    assert {found.id.version for found in content.lessons} == {5}


def test_water_is_asked_with_one_right_meaning(content: Content, items: Items):
    found = question(content, "word/choose-meaning/water|noun")
    assert found.stem == "What does “water” (noun) mean in Indonesian?"
    assert found.stem_id == "Apa arti kata “water” (kata benda) dalam bahasa Indonesia?"
    assert texts(found)[found.answer_key["correct"]] == "air"
    wrong = set(texts(found).values()) - {"air"}
    assert len(wrong) == 3
    assert not wrong & items["water", "noun"].known


def test_house_is_written_from_its_meaning(content: Content):
    found = question(content, "word/write-word/house|noun")
    assert found.stem == "Write the English noun for “rumah”. It starts with “h”."
    assert found.stem_id == "Tulis kata benda bahasa Inggris untuk “rumah”. Kata itu diawali huruf “h”."
    assert found.answer_key["accepted"][0] == "house"
    assert "home" in found.answer_key["accepted"]
    for text, right in {"House": True, " house. ": True, "home": True, "horse": False, "mouse": False}.items():
        assert grade(found.type, found.options, found.answer_key, {"text": text}).is_correct is right


def test_no_option_of_a_meaning_question_is_a_listed_translation_of_the_word(content: Content, items: Items):
    for found in content.questions:
        if found.key.startswith(("word/choose-meaning/", "word/select-meanings/")):
            headword, pos = found.key.rsplit("/", 1)[1].split("|")
            item = items[headword, pos]
            right = found.answer_key["correct"]
            wrong = {text.casefold() for option, text in texts(found).items() if option not in right}
            assert not wrong & item.known, found.key
            assert not wrong & {meaning.casefold() for meaning in item.meanings}, found.key


def test_statement_on_a_meaning_is_true_only_of_a_taught_meaning(content: Content, items: Items):
    counted: Counter[bool] = Counter()
    for found in content.questions:
        if found.key.startswith("word/judge-meaning/"):
            headword, pos = found.key.rsplit("/", 1)[1].split("|")
            item = items[headword, pos]
            shown = found.stem.rsplit("“", 1)[1].removesuffix("”.")
            truth = found.answer_key["correct"]
            counted[truth] += 1
            assert (shown == item.meaning) if truth else (shown.casefold() not in item.known), found.key
    assert 0.4 < counted[True] / counted.total() < 0.6


def test_words_to_match_share_no_meaning(content: Content, items: Items):
    by_headword: dict[str, set[str]] = {}
    for item in items.values():
        by_headword.setdefault(item.word.headword, set()).update(item.known)
    for found in content.questions:
        if found.type == "matching":
            lefts = [option["text"] for option in found.options["left"]]
            rights = [option["text"] for option in found.options["right"]]
            assert len(lefts) == len(rights) == 5
            for left in lefts:
                assert len(by_headword[left] & {right.casefold() for right in rights}) <= 1, found.key


def test_right_options_are_not_always_in_the_same_place(content: Content):
    places = Counter(
        found.answer_key["correct"] for found in content.questions if found.key.startswith("word/choose-meaning/")
    )
    assert set(places) == {"a", "b", "c", "d"}
    assert max(places.values()) < 1.2 * min(places.values())


def test_usual_times_are_between_seconds_and_a_minute(content: Content):
    times = {found.usual_time_ms for found in content.questions}
    assert min(times) >= 3_000
    assert max(times) <= 60_000


def test_lessons_are_numbered_within_their_units(content: Content):
    units: dict[tuple[str, str], list[int]] = {}
    for lesson in content.lessons:
        units.setdefault((lesson.path, lesson.unit), []).append(lesson.position)
    for positions in units.values():
        assert positions == list(range(1, len(positions) + 1))


def test_lessons_of_words_list_each_word_they_ask(content: Content):
    for lesson in content.lessons:
        if lesson.skill == "vocabulary":
            words = {word["word"] for word in lesson.sections[0]["words"]}
            asked = {
                found.key.rsplit("/", 1)[1].split("|")[0] for found in lesson.questions if found.key.startswith("word/")
            }
            assert asked <= words


def test_every_lesson_credits_its_data_sets(content: Content):
    credited = {
        "vocabulary": ("CEFR-J", "FreeDict", "CC BY-SA 3.0"),
        "grammar": ("BLiMP", "CC BY 4.0"),
        "reading": ("Tatoeba",),
    }
    for lesson in content.lessons:
        body = next(section["body"] for section in lesson.sections if section["kind"] == "credits")
        assert all(name in body for name in credited[lesson.skill])


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"stem_id": " "}, "stem_id is empty"),
        ({"options": [{"id": "a", "text": "air"}, {"id": "a", "text": "api"}]}, "option ids repeat"),
        ({"options": [{"id": "a", "text": "air"}, {"id": "b", "text": "Air"}]}, "option texts repeat"),
        ({"stem": "Is water air or fire?"}, "the stem gives 'air' away"),
    ],
)
def test_faulty_question_is_found(change: dict[str, Any], fault: str, content: Content):
    sound = replace(
        question(content, "word/choose-meaning/water|noun"),
        options=[{"id": "a", "text": "air"}, {"id": "b", "text": "api"}],
        answer_key={"correct": "a"},
    )
    assert faults(Content((), (sound,))) == []
    assert fault in faults(Content((), (replace(sound, **change),)))[0]


def test_faulty_lesson_is_found(content: Content):
    lesson = replace(content.lessons[0], questions=content.lessons[0].questions[:7], sections=[])
    found = faults(Content((lesson, lesson), content.questions))
    assert f"{lesson.slug}: has 7 questions" in found
    assert f"{lesson.slug}: has no section" in found
    assert f"lesson slug {lesson.slug} occurs 2 times" in found
