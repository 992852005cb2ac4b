"""Which words are taught, with which meanings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.content.build import Vocabulary
from worker.content.indonesian import clean_meaning, roots
from worker.content.pronunciation import typical
from worker.content.sources.cefrj import Word
from worker.content.sources.freedict import Entry, Sense
from worker.content.values import LEVELS
from worker.content.vocabulary import Item, join, same_pos

Items = dict[tuple[str, str], Item]


def word(headword: str, pos: str = "noun", variants: tuple[str, ...] = ()) -> Word:
    return Word(headword, variants, pos, "A1", ())


def entry(headword: str, *translations: str, pos: str | None = "n", glosses: tuple[str, ...] = ()) -> Entry:
    return Entry(headword, pos, (), (Sense(translations, glosses),))


def test_join_finds_as_many_headwords_as_the_data_sets_have_in_common(vocabulary: Vocabulary):
    # The data sets' description counts 932 at A1: it finds a.m./A.M./am/AM under AM, which here is one form with a.m.
    assert vocabulary.figures.headword_found == {"A1": 931, "A2": 820, "B1": 1_172, "B2": 954}
    assert vocabulary.figures.headwords_found == 3_243


def test_words_are_taught_at_every_level(vocabulary: Vocabulary):
    figures = vocabulary.figures
    assert sum(figures.pos_fits.values()) > 3_400
    for level, least in zip(LEVELS, (800, 650, 950, 700), strict=True):
        assert figures.rows[level] > figures.headword_found[level] > figures.pos_fits[level]
        assert figures.taught[level] >= least


@pytest.mark.parametrize(
    ("headword", "pos", "meanings"),
    [
        ("water", "noun", ("air",)),
        ("house", "noun", ("rumah",)),
        ("run", "verb", ("berlari", "lari")),
        ("spring", "noun", ("musim semi", "pegas")),
        ("doctor", "noun", ("dokter",)),
        ("because", "conjunction", ("karena", "sebab")),
    ],
)
def test_well_known_words_have_their_well_known_meanings(
    headword: str, pos: str, meanings: tuple[str, ...], items: Items
):
    assert items[headword, pos].meanings == meanings


def test_words_with_one_spelling_in_both_languages_are_not_taught(items: Items):
    for cognate in ("hotel", "radio", "piano", "pizza"):
        assert (cognate, "noun") not in items
    for item in items.values():
        spellings = {form.casefold() for form in (item.word.headword, *item.word.variants)}
        assert item.meaning.casefold() not in spellings


def test_rude_and_slighting_words_of_the_dictionary_are_not_taught(items: Items):
    taught = {meaning for item in items.values() for meaning in item.meanings}
    assert not taught & {"ngentot", "kontol", "jembut", "itil", "maho", "negro", "goblok", "bangsat", "hombreng"}


def test_taught_meanings_can_be_shown(items: Items):
    for item in items.values():
        for meaning in item.meanings:
            assert clean_meaning(meaning) == meaning
        assert len({meaning.casefold() for meaning in item.meanings}) == len(item.meanings)


def test_part_of_speech_decides_where_both_sources_give_it():
    assert same_pos("noun", "n")
    assert not same_pos("noun", "v")
    assert same_pos("noun", None)


def test_meaning_of_another_part_of_speech_is_not_taught_but_is_known():
    items, _ = join([word("light")], [entry("light", "cahaya"), entry("light", "ringan", pos="adj")], {})
    assert items[0].meanings == ("cahaya",)
    assert items[0].known == {"cahaya", "ringan"}


def test_capitals_tell_words_apart():
    items, figures = join([word("polish")], [entry("Polish", "bahasa Polandia")], {})
    assert items == []
    assert figures.headwords_found == 0


def test_meaning_that_more_senses_list_comes_first():
    water = Entry(
        "water",
        "n",
        (),
        (Sense(("perairan", "air"), ("body of water",)), Sense(("air",), ("clear liquid", "serving of water"))),
    )
    items, _ = join([word("water")], [water], {})
    assert items[0].meanings == ("air", "perairan")


def test_editors_choose_the_meanings_and_strike_out_words():
    words = [word("bird"), word("bank")]
    curated = {("bird", "noun"): ("burung",), ("bank", "noun"): ()}
    items, _ = join(words, [entry("bird", "burung", "cewek"), entry("bank", "gosong")], curated)
    assert [(item.word.headword, item.meanings) for item in items] == [("bird", ("burung",))]


def test_variant_spelling_finds_the_dictionary_entry():
    items, _ = join([word("color", variants=("colour",))], [entry("colour", "warna")], {})
    assert items[0].meanings == ("warna",)


@pytest.mark.parametrize(
    ("translation", "shown"),
    [
        ("air", "air"),
        ("mengemudi(kan)", "mengemudi"),
        ("(tempat) penyeberangan pejalan kaki", "penyeberangan pejalan kaki"),
        ("berapa banyak?", "berapa banyak"),
        ("rama-rama", "rama-rama"),
        ("e- -an", None),
        ("ke-1", None),
        ("uncaŋ", None),
        ("ébé", None),
        ("dsa.", None),
        ("pesawat yang terbang sangat tinggi", None),
    ],
)
def test_translations_are_cleaned_or_dropped(translation: str, shown: str | None):
    assert clean_meaning(translation) == shown


@given(st.text(max_size=60))
def test_cleaning_what_was_cleaned_changes_nothing(text: str):
    once = clean_meaning(text)
    assert once is None or clean_meaning(once) == once


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("lari", "berlari"),
        ("tulis", "menulis"),
        ("pukul", "memukul"),
        ("sapu", "menyapu"),
        ("kirim", "mengirim"),
        ("ambil", "mengambil"),
        ("adil", "keadilan"),
        ("anak", "anak-anak"),
        ("rumah sakit", "sakit"),
    ],
)
def test_related_meanings_share_a_root(one: str, other: str):
    assert roots(one) & roots(other)


def test_unrelated_meanings_share_no_root():
    assert not roots("kucing") & roots("rumah")


def test_pronunciation_shown_is_the_one_most_like_the_others():
    assert typical(["ˈwoːtə", "ˈwɔːtə", "ˈwɔːtəɹ", "ˈwɒtə"]) == "ˈwɔːtə"
    assert typical(["[ˈwɔɾɚ]", "ˈwɔːtə"]) == "ˈwɔːtə"


def test_regional_pronunciations_give_way_to_the_general_one():
    assert typical(["ɹʊn", "ɹʌn"]) == "ɹʌn"
    assert typical(["slip", "sliːp"]) == "sliːp"


def test_no_pronunciation_is_shown_when_the_list_is_of_different_words():
    assert typical(["biː", "ɛm aɪ", "zɔks"]) is None
    assert typical([]) is None
