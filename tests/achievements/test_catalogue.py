import re

import pytest

from worker.achievements.catalogue import load_catalogue, parse_catalogue
from worker.achievements.errors import CatalogueError, UnknownAchievementError

ENTRY = """
[[achievement]]
code = "words"
icon = "book"
name_id = "Kata"
name_en = "Words"
description_id = "Jawab {n} soal"
description_en = "Answer {n} questions"
counter = "correct"
at_least = { attempts = 5 }
tiers = { "words-10" = 10, "words-20" = 20 }
"""


def test_the_catalogue_of_this_version_is_valid_and_has_what_is_promised():
    codes = {tier.code for each in load_catalogue().achievements for tier in each.tiers}
    assert {f"streak-{days}" for days in (3, 7, 30, 100, 365)} <= codes
    assert {"first-lesson", "correct-100", "perfect-tryout", "comeback", "early-bird-5", "night-owl-5"} <= codes


def test_an_entry_is_read_and_its_texts_name_the_tier():
    (entry,) = parse_catalogue(ENTRY).achievements
    assert [(tier.code, tier.threshold) for tier in entry.tiers] == [("words-10", 10), ("words-20", 20)]
    assert entry.text("description_id", entry.tiers[1]) == "Jawab 20 soal"


@pytest.mark.parametrize(
    ("line", "instead", "field"),
    [
        ('code = "words"', "", "code"),
        ('code = "words"', 'code = "Words!"', "code"),
        ('icon = "book"', "icon = 3", "icon"),
        ('name_id = "Kata"', 'name_id = " "', "name_id"),
        ('"Answer {n} questions"', '"Answer questions"', "description_en"),
        ('counter = "correct"', 'counter = "corect"', "counter"),
        ('counter = "correct"', 'counter = "correct"\ncolour = "red"', "colour"),
        ("{ attempts = 5 }", "{ tries = 5 }", "at_least"),
        ("{ attempts = 5 }", "{ attempts = 0 }", "at_least.attempts"),
        ("{ attempts = 5 }", "5", "at_least"),
        ('{ "words-10" = 10, "words-20" = 20 }', "{}", "tiers"),
        ('{ "words-10" = 10, "words-20" = 20 }', "[10, 20]", "tiers"),
        ('"words-20" = 20', '"words-20" = 10', "tiers"),
        ('"words-20" = 20', '"words-20" = true', "tiers.words-20"),
        ('"words-20" = 20', '"words 20" = 20', "tiers"),
    ],
)
def test_an_entry_that_cannot_work_is_named_with_its_field(line, instead, field):
    assert line in ENTRY
    with pytest.raises(CatalogueError, match=re.escape("entry 1")) as refused:
        parse_catalogue(ENTRY.replace(line, instead))
    assert refused.value.field == field


@pytest.mark.parametrize("text", ["", "achievement = 3", "[[achievement", "[settings]\nx = 1"])
def test_a_file_without_entries_is_refused(text):
    with pytest.raises(CatalogueError, match="the file"):
        parse_catalogue(text)


def test_codes_are_unique_among_entries_and_among_tiers():
    with pytest.raises(CatalogueError, match=r"entry 2.*code"):
        parse_catalogue(ENTRY + ENTRY)
    with pytest.raises(CatalogueError, match=r"entry 2.*tiers"):
        parse_catalogue(ENTRY + ENTRY.replace('code = "words"', 'code = "more"'))


def test_one_achievement_is_chosen_by_its_code_or_by_a_tier():
    catalogue = parse_catalogue(ENTRY)
    assert catalogue.only("words") == catalogue
    ((only,),) = (each.tiers for each in catalogue.only("words-20").achievements)
    assert only.code == "words-20"
    with pytest.raises(UnknownAchievementError):
        catalogue.only("word")
