"""Which minimal pairs become questions, and what is said about them."""

import pytest

from worker.content.english import Lexicon, names_of
from worker.content.grammar_choice import graded, needs_gender_hint
from worker.content.grammar_questions import difficulty_of, fill_gap, select_sentences
from worker.content.grammar_reasons import reason
from worker.content.paradigms import Paradigm, read_paradigms
from worker.content.sources.blimp import MinimalPair, read_pairs
from worker.content.sources.files import read_text
from worker.content.values import Content

PARADIGMS = {paradigm.uid: paradigm for paradigm in read_paradigms(read_text("grammar", "paradigms.toml"))}
NAMES = frozenset({"Karen", "Homer", "Robert", "Tracy"})
PAST = "irregular_past_participle_verbs"
GENDER = "anaphor_gender_agreement"
NUMBER = "anaphor_number_agreement"
NOUN = "determiner_noun_agreement_1"
VERB = "regular_plural_subject_verb_agreement_1"
THERE = "existential_there_quantifiers_1"
PARTICIPLE = "irregular_past_participle_adjectives"


def pair(paradigm: str, good: str, bad: str) -> MinimalPair:
    words, others = tuple(good.split()), tuple(bad.split())
    at = next(at for at, (left, right) in enumerate(zip(words, others, strict=True)) if left != right)
    return MinimalPair(paradigm, 0, words, others, at)


def level_of(found: MinimalPair, lexicon: Lexicon) -> str | None:
    fit = graded(found, PARADIGMS[found.paradigm], lexicon, NAMES)
    return fit.level if fit else None


def test_level_is_the_floor_of_the_paradigm_or_that_of_the_hardest_word(lexicon: Lexicon):
    assert level_of(pair(VERB, "Robert walks.", "Robert walk."), lexicon) == "A1"
    assert level_of(pair(PAST, "Robert went home.", "Robert gone home."), lexicon) == "A2"
    assert level_of(pair(VERB, "Robert abandons Karen.", "Robert abandon Karen."), lexicon) == "B1"


@pytest.mark.parametrize(
    ("paradigm", "good", "bad", "why"),
    [
        (PAST, "Robert astounded Karen.", "Robert astound Karen.", "words beyond B2"),
        (PAST, "Robert came here.", "Robert come here.", "right for other subjects"),
        (PAST, "That coat shrank.", "That coat shrunk.", "accepted by some, and about a thing"),
        (GENDER, "That dancer hurt herself.", "That dancer hurt himself.", "nobody knows the dancer's gender"),
        (NUMBER, "Some dancer hurt herself.", "Some dancer hurt themselves.", "singular they"),
        (VERB, "The committee has met Karen.", "The committee have met Karen.", "British collective plural"),
        (VERB, "Homer isn't skated around Karen.", "Homer weren't skated around Karen.", "no English"),
        (VERB, "The cups alarm Karen.", "The cups alarms Karen.", "no sense"),
        (NOUN, "Karen breaks this dish.", "Karen breaks this dishs.", "misspelt"),
        (THERE, "There aren't few people running.", "There aren't all people running.", "both odd"),
        (PARTICIPLE, "The broken doctor is here.", "The broke doctor is here.", "a doctor can be broke"),
    ],
)
def test_pair_that_is_odd_or_disputed_is_not_used(paradigm: str, good: str, bad: str, why: str, lexicon: Lexicon):
    assert level_of(pair(paradigm, good, bad), lexicon) is None, why


def test_gender_of_a_name_is_told_where_only_it_decides(lexicon: Lexicon):
    by_name = graded(pair(GENDER, "Tracy hurt herself.", "Tracy hurt himself."), PARADIGMS[GENDER], lexicon, NAMES)
    assert by_name is not None
    assert needs_gender_hint(by_name)
    question = fill_gap(by_name, PARADIGMS[GENDER], 2, 1)
    assert question.stem.startswith("(Tracy is a woman.) ")
    assert question.stem_id.startswith("(Tracy adalah seorang perempuan.) ")
    thing = graded(pair(GENDER, "Tracy hurt herself.", "Tracy hurt itself."), PARADIGMS[GENDER], lexicon, NAMES)
    assert thing is not None
    assert not needs_gender_hint(thing)


def test_gap_stands_for_the_word_alone_and_both_words_are_offered(lexicon: Lexicon):
    found = graded(pair(PAST, "Karen hid.", "Karen hidden."), PARADIGMS[PAST], lexicon, NAMES)
    assert found is not None
    question = fill_gap(found, PARADIGMS[PAST], 3, 1)
    assert "Karen ____." in question.stem
    assert "hid" in question.stem
    assert "hidden" in question.stem
    assert question.answer_key == {"blanks": [["hid"]]}


@pytest.mark.parametrize(
    ("paradigm", "good", "bad", "english", "indonesian"),
    [
        (PAST, "Karen hid.", "Karen hidden.", "hide – hid – hidden", "past simple “hid”"),
        (PARTICIPLE, "The worn hat is old.", "The wore hat is old.", "Before the noun “hat”", "kata benda “hat”"),
        (GENDER, "Karen hurt herself.", "Karen hurt itself.", "one woman or girl", "satu orang perempuan"),
        (NUMBER, "All men hurt themselves.", "All men hurt himself.", "more than one", "lebih dari satu"),
        (NOUN, "Karen helps those boys.", "Karen helps those boy.", "“those” goes with a plural", "kata benda jamak"),
        (NOUN, "Karen helps this boy.", "Karen helps this boys.", "“this” goes with a singular", "kata benda tunggal"),
        (VERB, "Karen walks.", "Karen walk.", "“Karen” is singular", "“Karen” berbentuk tunggal"),
        (VERB, "Most men haven't met Karen.", "Most men hasn't met Karen.", "“Most men” is plural", "berbentuk jamak"),
        (THERE, "There is a man here.", "There is every man here.", "“a” is possible, “every” is not", "“a” boleh"),
    ],
)
def test_reason_says_why_in_both_languages(paradigm: str, good: str, bad: str, english: str, indonesian: str):
    said, said_id = reason(pair(paradigm, good, bad))
    assert english in said
    assert indonesian in said_id


@pytest.mark.parametrize(("agreement", "difficulty"), [(1.0, 1), (0.98, 1), (0.96, 2), (0.95, 3), (0.94, 4), (0.5, 5)])
def test_points_on_which_people_disagree_are_harder(agreement: float, difficulty: int):
    assert difficulty_of(agreement) == difficulty


def test_all_right_sentences_of_a_selection_are_good_ones(lexicon: Lexicon):
    pairs = [pair(PAST, f"{name} hid.", f"{name} hidden.") for name in sorted(NAMES)]
    fit = [graded(found, PARADIGMS[PAST], lexicon, NAMES) for found in pairs]
    question = select_sentences([found for found in fit if found], 2, PARADIGMS[PAST], 3, 1)
    right = {option["text"] for option in question.options if option["id"] in question.answer_key["correct"]}
    assert right == {"Homer hid.", "Karen hid."}


def test_names_are_words_in_capitals_within_sentences():
    assert names_of([["Tom's", "sister", "met", "Mary."], ["I", "think", "I", "know."]]) == {"Mary"}


def test_every_reason_of_the_real_pairs_can_be_given():
    for uid in PARADIGMS:
        for found in read_pairs(read_text("blimp", f"{uid}.jsonl")):
            assert all(reason(found))


def test_grammar_lessons_go_from_a1_to_b2_and_follow_the_floors(content: Content):
    lessons = [lesson for lesson in content.lessons if lesson.skill == "grammar"]
    assert {lesson.level for lesson in lessons} == {"A1", "A2", "B1", "B2"}
    by_title: dict[str, Paradigm] = {paradigm.title: paradigm for paradigm in PARADIGMS.values()}
    for lesson in lessons:
        assert lesson.level >= by_title[lesson.unit].floor
        assert {question.level for question in lesson.questions} == {lesson.level}


def test_no_pair_is_used_twice(content: Content):
    single = {"multiple_choice", "fill_blank", "true_false"}
    sentences = [
        question.key.split("/", 2)[2]
        for question in content.questions
        if question.skill == "grammar" and question.type in single
    ]
    assert len(sentences) == len(set(sentences))
