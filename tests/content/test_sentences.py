"""Which sentence pairs become questions, and how."""

import pytest

from worker.attempts.grading import grade
from worker.content import sentence_questions
from worker.content.build import Vocabulary
from worker.content.english import Lexicon
from worker.content.sentence_choice import Sentence, alike, chosen
from worker.content.sources.tatoeba import SentencePair
from worker.content.values import Content, Question


def sentences_of(
    *pairs: tuple[str, str], vocabulary: Vocabulary, left_out: frozenset[int] = frozenset()
) -> list[Sentence]:
    listed = [SentencePair(line, english, indonesian) for line, (english, indonesian) in enumerate(pairs, start=1)]
    return chosen(listed, left_out, Lexicon(vocabulary.words), vocabulary.items)


@pytest.mark.parametrize(
    "english",
    [
        "I know.",
        "He is not here right now. Why are you looking for him?",
        '"I want that book", he said.',
        "The 1990s began with the war.",
        "one two three four five six seven eight nine ten eleven.",
    ],
)
def test_sentence_that_is_short_or_long_or_not_plain_is_not_used(english: str, vocabulary: Vocabulary):
    assert sentences_of((english, "Terjemahan."), vocabulary=vocabulary) == []


def test_sentence_that_editors_left_out_is_not_used(vocabulary: Vocabulary):
    pair = ("He closed the door.", "Dia menutup pintu.")
    assert sentences_of(pair, vocabulary=vocabulary, left_out=frozenset({1})) == []
    assert len(sentences_of(pair, vocabulary=vocabulary)) == 1


def test_second_sentence_with_the_same_translation_is_not_used(vocabulary: Vocabulary):
    found = sentences_of(
        ("He closed the door.", "Dia menutup pintu."),
        ("She closed the door.", "Dia menutup pintu."),
        vocabulary=vocabulary,
    )
    assert [sentence.pair.line for sentence in found] == [1]


def test_gap_is_a_word_whose_meaning_stands_in_the_translation(vocabulary: Vocabulary):
    (sentence,) = sentences_of(("Tom bought a house yesterday.", "Tom membeli rumah kemarin."), vocabulary=vocabulary)
    assert sentence.gap is not None
    assert sentence.gap.word in {"bought", "house", "yesterday"}
    question = sentence_questions.fill_gap(sentence)
    assert question is not None
    assert sentence.gap.word not in question.stem
    assert f"{sentence.gap.word[0]}{'_' * (len(sentence.gap.word) - 1)}" in question.stem
    assert question.answer_key == {"blanks": [[sentence.gap.word]]}


def test_sentence_without_such_a_word_has_no_gap(vocabulary: Vocabulary):
    (sentence,) = sentences_of(("How are you, Mike?", "Apa kabar, Mike?"), vocabulary=vocabulary)
    assert sentence.gap is None
    assert sentence_questions.fill_gap(sentence) is None


def test_translation_is_shown_with_a_capital_and_a_mark_at_its_end(vocabulary: Vocabulary):
    (sentence,) = sentences_of(("This is my wife.", "ini istriku"), vocabulary=vocabulary)
    assert sentence.indonesian == "Ini istriku."


def test_long_sentence_is_not_for_beginners(vocabulary: Vocabulary):
    short, long = sentences_of(
        ("I like my red house.", "Saya suka rumah merah saya."),
        ("I like my red house and my big car.", "Saya suka rumah merah dan mobil besar saya."),
        vocabulary=vocabulary,
    )
    assert {short.level, long.level} == {"A1", "A2"}


def test_words_that_read_the_same_may_change_places(vocabulary: Vocabulary):
    pair = ("The dog saw the cat and the bird.", "Anjing itu melihat kucing dan burung itu.")
    (sentence,) = sentences_of(pair, vocabulary=vocabulary)
    question = sentence_questions.order_words(sentence, 1)
    order = question.answer_key["order"]
    texts = [next(option["text"] for option in question.options if option["id"] == one) for one in order]
    assert texts == list(sentence.tokens)
    first, second = [at for at, text in enumerate(texts) if text == "the"]
    swapped = list(order)
    swapped[first], swapped[second] = swapped[second], swapped[first]
    assert grade("ordering", question.options, question.answer_key, {"order": swapped}).is_correct
    swapped[0], swapped[1] = swapped[1], swapped[0]
    assert not grade("ordering", question.options, question.answer_key, {"order": swapped}).is_correct


def test_words_to_order_never_come_in_the_right_order(content: Content):
    for question in questions_of(content, "ordering"):
        assert [option["id"] for option in question.options] != question.answer_key["order"]


def test_sentences_to_order_have_four_to_ten_words(content: Content):
    assert {len(question.options) for question in questions_of(content, "ordering")} <= set(range(4, 11))


def test_wrong_translations_are_unlike_the_right_one_and_each_other(content: Content):
    for question in questions_of(content, "multiple_choice"):
        texts = [option["text"] for option in question.options]
        assert all(alike(one, other) <= 0.5 for one in texts for other in texts if one != other)


def questions_of(content: Content, kind: str) -> list[Question]:
    return [question for question in content.questions if question.skill == "reading" and question.type == kind]
