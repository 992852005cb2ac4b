"""Texts that mean the same compare as the same; others don't."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from worker.attempts.answer_text import TYPO_MIN_LETTERS, letters, matcher, normalise

_any_text = st.text(st.characters(codec=None), max_size=40)


@given(_any_text)
@example("\u0345\u03b1")
@example("\u1e9e\u00b4 \ufb01")
@example("e\u00a0\u0301 . !")
def test_normalising_twice_changes_nothing(text):
    once = normalise(text)
    assert normalise(once) == once


@given(st.text(st.sampled_from("abcXYZ äÖé'’“”-–"), max_size=20))
def test_case_spaces_and_endings_do_not_matter(text):
    assert normalise(f"  {text.upper().lower()} \t!?.") == normalise(text.lower())


@pytest.mark.parametrize(
    ("typed", "accepted"),
    [
        ("It’s", "it's"),
        ("it`s", "it's"),
        ("it\u00b4s", "it's"),
        ("„Hallo“", '"hallo"'),
        ("well\u2011known", "well-known"),
        ("cafe\u0301", "café"),
        ("STRASSE", "straße"),
        ("\uff21\uff22\uff23", "abc"),
        ("co\u00adoperate\u200b", "cooperate"),
        ("two\u00a0\u2003words", "two words"),
        ("Really?!", "really"),
        ("at 5 a.m.", "at 5 a.m"),
    ],
)
def test_forms_of_the_same_text_compare_equal(typed, accepted):
    assert normalise(typed) == normalise(accepted)


@pytest.mark.parametrize(("typed", "accepted"), [("cafe", "café"), ("a, b", "a b"), ("3.5", "35"), ("dont", "don't")])
def test_other_texts_stay_different(typed, accepted):
    assert normalise(typed) != normalise(accepted)


@given(st.text("abcd", max_size=8), st.text("abcd", min_size=1, max_size=8), st.integers(0, 3))
def test_typos_never_help_below_five_letters(typed, accepted, typos):
    if letters(accepted) < TYPO_MIN_LETTERS:
        assert matcher([accepted], typos)(typed) == (typed == accepted)


@given(st.text("abcdefgh", min_size=5, max_size=12), st.data())
def test_one_edit_of_any_kind_is_one_typo(accepted, data):
    at = data.draw(st.integers(0, len(accepted) - 2))
    edit = data.draw(st.sampled_from(["insert", "delete", "replace", "swap"]))
    typed = {
        "insert": accepted[:at] + "z" + accepted[at:],
        "delete": accepted[:at] + accepted[at + 1 :],
        "replace": accepted[:at] + "z" + accepted[at + 1 :],
        "swap": accepted[:at] + accepted[at + 1] + accepted[at] + accepted[at + 2 :],
    }[edit]
    assert matcher([accepted], 1)(typed)
    assert matcher([accepted], 0)(typed) == (typed == accepted)


def test_two_typos_need_two_allowed():
    assert not matcher(["elephant"], 1)("elefant")
    assert matcher(["elephant"], 2)("elefant")


def test_letters_of_any_script_count_and_digits_do_not():
    assert letters("a1b2 é人") == 4
