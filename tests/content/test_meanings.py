"""No wrong option may be right after all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.content.build import Vocabulary
from worker.content.english import Lexicon, Neighbours, base_forms
from worker.content.meanings import MeaningIndex
from worker.content.values import drawn, generator
from worker.content.vocabulary import Item

Items = dict[tuple[str, str], Item]


def test_wrong_meanings_of_any_word_are_of_its_level_and_kind_and_no_meaning_of_it(
    vocabulary: Vocabulary, index: MeaningIndex
):
    for item in vocabulary.items[::7]:
        others = index.distractors([item], 3, generator(3, item.word.key))
        for other in others:
            assert (other.word.level, other.word.pos) == (item.word.level, item.word.pos)
            assert other.meaning.casefold() not in item.known
            assert not other.known & item.known
        assert len({other.meaning for other in others}) == len(others)


@given(seed=st.integers(min_value=0, max_value=10_000))
def test_house_is_never_asked_beside_home_whatever_the_seed(seed: int, items: Items, index: MeaningIndex):
    others = index.distractors([items["house", "noun"]], 3, generator(seed, "house"))
    assert len(others) == 3
    assert not {"rumah", "kamar", "kandang", "balai"} & {other.meaning for other in others}
    assert "home" not in {other.word.headword for other in others}


def test_option_never_looks_like_the_word_itself(items: Items, index: MeaningIndex):
    # To paint is `cat` in Indonesian (a noun): it must not stand among the options for the animal.
    assert items["paint", "noun"].meaning == "cat"
    for seed in range(300):
        others = index.distractors([items["cat", "noun"]], 3, generator(seed, "cat"))
        assert "cat" not in {other.meaning for other in others}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("house", "noun"), ("home", "noun")),
        (("big", "adjective"), ("large", "adjective")),
        (("refuse", "verb"), ("reject", "verb")),
        (("answer", "noun"), ("answer", "verb")),
        (("air", "noun"), ("water", "noun")),
    ],
)
def test_words_too_close_in_meaning_clash(
    one: tuple[str, str], other: tuple[str, str], items: Items, index: MeaningIndex
):
    assert index.clash(items[one], items[other])
    assert index.clash(items[other], items[one])


def test_words_far_apart_do_not_clash(items: Items, index: MeaningIndex):
    assert not index.clash(items["cat", "noun"], items["water", "noun"])


def test_small_pool_gives_its_distractors_whatever_the_order(items: Items, index: MeaningIndex):
    counts = {len(index.distractors([items["or", "conjunction"]], 3, generator(seed, "or"))) for seed in range(50)}
    assert len(counts) == 1


def test_synonyms_with_the_letter_asked_for_are_accepted(items: Items, index: MeaningIndex):
    accepted = index.accepted(items["perhaps", "adverb"])
    assert accepted[0] == "perhaps"
    assert {"probably", "possibly"} <= set(accepted)
    assert "maybe" not in accepted


def test_both_spellings_are_accepted(items: Items, index: MeaningIndex):
    assert index.accepted(items["color", "noun"])[:2] == ["color", "colour"]


def test_slip_is_forgiven_only_where_it_makes_no_other_word(index: MeaningIndex):
    assert index.typos_allowed(["elephant"]) == 1
    assert index.typos_allowed(["father"]) == 0
    assert index.typos_allowed(["cat"]) == 0


@pytest.mark.parametrize("neighbour", ["hous", "houses", "horse", "huose"])
def test_neighbours_are_found_over_every_kind_of_slip(neighbour: str):
    assert neighbour in Neighbours(["house", neighbour, "elephant"]).of("house")


@pytest.mark.parametrize(
    ("token", "base"),
    [
        ("went", "go"),
        ("children", "child"),
        ("stopped", "stop"),
        ("making", "make"),
        ("cities", "city"),
        ("biggest", "big"),
        ("doesn't", "does"),
        ("i've", "i"),
    ],
)
def test_base_forms_of_inflected_words_are_found(token: str, base: str):
    assert base in set(base_forms(token))


def test_level_of_a_sentence_is_that_of_its_hardest_word(lexicon: Lexicon):
    names = frozenset({"Tom"})
    assert lexicon.sentence_level(["Tom", "closed", "the", "door."], names) == "A1"
    assert lexicon.sentence_level(["Tom", "abandoned", "the", "house."], names) == "B1"
    assert lexicon.sentence_level(["Tom", "brolfed", "the", "house."], names) is None


@given(pool=st.lists(st.integers(), max_size=30), seed=st.integers(min_value=0, max_value=1_000))
def test_drawing_yields_each_member_once(pool: list[int], seed: int):
    assert sorted(drawn(pool, generator(seed, "pool"))) == sorted(pool)
