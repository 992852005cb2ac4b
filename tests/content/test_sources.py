"""Readers of the data sets."""

import pytest

from worker.content.build import Vocabulary
from worker.content.paradigms import read_paradigms
from worker.content.sources import blimp, cefrj, curation, freedict, tatoeba
from worker.content.sources.files import read_bytes, read_text


def test_first_form_of_a_slash_list_is_the_headword_and_the_others_are_variants():
    assert cefrj.split_forms("color/colour") == ("color", ("colour",))


def test_forms_that_differ_only_in_capitals_or_full_stops_are_one_form():
    assert cefrj.split_forms("a.m./A.M./am/AM") == ("a.m.", ())
    assert cefrj.split_forms("doctor/Dr./Dr") == ("doctor", ("Dr.",))


def test_every_row_of_the_vocabulary_profile_is_read_with_its_level(vocabulary: Vocabulary):
    assert len(vocabulary.words) == 7_799
    assert vocabulary.figures.rows == {"A1": 1_164, "A2": 1_411, "B1": 2_446, "B2": 2_778}
    assert len({word.key for word in vocabulary.words}) == 7_799


def test_word_of_an_unknown_level_is_refused():
    with pytest.raises(ValueError, match="water has the unknown level 'C1'"):
        cefrj.read_words("headword,pos,CEFR,CoreInventory 1,CoreInventory 2,Threshold\nwater,noun,C1,,,\n")


def test_numbers_of_the_dictionary_index_are_base_64():
    assert freedict.number("A") == 0
    assert freedict.number("BA") == 64
    assert freedict.number("po") == 41 * 64 + 40


def test_entry_of_one_sense_is_read_without_the_number_behind_its_translations():
    entry = freedict.parse_entry(
        "centric /sˈɛntɹɪk/ <suffix>\nsentris 2.\nhaving a number of centres\n 3.\nhaving an object at the centre\n"
    )
    assert entry.headword == "centric"
    assert entry.pos == "suffix"
    assert entry.pronunciations == ("sˈɛntɹɪk",)
    assert entry.senses == (
        freedict.Sense(
            translations=("sentris",),
            glosses=("having a number of centres", "having an object at the centre"),
        ),
    )


def test_numbered_senses_keep_their_own_translations_and_glosses():
    entry = freedict.parse_entry(
        "water //ˈwɔːtə// /[ˈwɔɾɚ]/ <n>\n1. perairan, air\nbody of water\n2. air 2.\nclear liquid\n 3.\nserving\n"
    )
    assert entry.pronunciations == ("ˈwɔːtə", "[ˈwɔɾɚ]")
    assert [sense.translations for sense in entry.senses] == [("perairan", "air"), ("air",)]
    assert [sense.glosses for sense in entry.senses] == [("body of water",), ("clear liquid", "serving")]


def test_entry_without_part_of_speech_or_gloss_is_read():
    entry = freedict.parse_entry("in the game /ɪnðə ɡˈeɪm/\ndalam permainan\n")
    assert entry.pos is None
    assert entry.senses == (freedict.Sense(translations=("dalam permainan",), glosses=()),)


def test_wiki_links_are_replaced_by_their_text():
    entry = freedict.parse_entry("drive /dɹaɪv/ <v>\n[[kemudi|mengemudi(kan)]], mengendalikan\n")
    assert entry.senses[0].translations == ("mengemudi(kan)", "mengendalikan")


def test_every_entry_of_the_dictionary_is_read(vocabulary: Vocabulary):
    assert len(vocabulary.entries) == 10_296
    assert not [entry.headword for entry in vocabulary.entries if entry.headword.startswith("00database")]
    translations = [
        translation for entry in vocabulary.entries for sense in entry.senses for translation in sense.translations
    ]
    assert not [translation for translation in translations if translation.endswith(" 2.") or "[[" in translation]


def test_index_and_dictionary_belong_together():
    index = read_text("freedict-eng-ind", "freedict-eng-ind.index")
    entries = freedict.read_entries(index, read_bytes("freedict-eng-ind", "freedict-eng-ind.dict"))
    assert all(entry.senses for entry in entries)


def test_pairs_of_every_paradigm_differ_in_one_word():
    for paradigm in read_paradigms(read_text("grammar", "paradigms.toml")):
        pairs = blimp.read_pairs(read_text("blimp", f"{paradigm.uid}.jsonl"))
        assert len(pairs) == 1_000
        for pair in pairs:
            assert sum(good != bad for good, bad in zip(pair.good, pair.bad, strict=True)) == 1
            assert pair.right != pair.wrong


def test_agreement_is_read_for_every_paradigm_that_is_taught():
    agreement = blimp.read_agreement(read_text("blimp", "human_validation_summary.csv"))
    for paradigm in read_paradigms(read_text("grammar", "paradigms.toml")):
        assert 0.9 < agreement[paradigm.uid] <= 1


def test_sentences_that_do_not_go_together_line_by_line_are_refused():
    with pytest.raises(ValueError, match="shorter"):
        tatoeba.read_pairs("Hello.\nGood night.\n", "Halo.\n")


def test_editors_decide_only_on_words_and_sentences_that_exist(vocabulary: Vocabulary):
    known = {(word.headword, word.pos) for word in vocabulary.words}
    assert curation.read_meanings(read_text("curation", "vocabulary.csv")).keys() <= known
    left_out = curation.read_left_out(read_text("curation", "tatoeba-left-out.csv"))
    assert left_out <= set(range(1, 1_001))


@pytest.mark.parametrize("folder", ["cefrj", "freedict-eng-ind", "blimp", "tatoeba-ind-eng", "curation"])
def test_each_data_set_names_its_origin_and_licence(folder: str):
    assert len(read_text(folder, "SOURCE.md")) > 200
