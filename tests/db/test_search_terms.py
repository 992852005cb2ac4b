"""How a term is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.db.search_terms import (
    ENGLISH_STOP_WORDS,
    MAX_PARTS,
    MAX_TERM_CHARACTERS,
    TAUGHT,
    Item,
    SearchError,
    parse_term,
)


def wanted(text, **arguments):
    """Return what a term wants: words as they are, phrases in quotes."""
    return [
        [f'"{item.text}"' if item.is_phrase else item.text for item in group]
        for group in parse_term(text, **arguments).wanted
    ]


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("present perfect", [["present"], ["perfect"]]),
        ('"present perfect" tense', [['"present perfect"'], ["tense"]]),
        ("“present perfect”", [['"present perfect"']]),
        ("cat or dog mouse", [["cat", "dog"], ["mouse"]]),
        ("or cat or", [["cat"]]),
        ("buku-buku", [["buku"], ["buku"]]),
        ("what does slow mean", [["slow"], ["mean"]]),
        ("arti yang lambat", [["arti"], ["lambat"]]),
        ("yang dan", [["yang"], ["dan"]]),
        ("himself herself", [["himself"], ["herself"]]),
        ("the and of", []),
        ("", []),
        ("\0\x01 \ud800", []),
        ('"', []),
        ('""', []),
        ("!!! ??? ...", []),
        ('"unbalanced quote', [['"unbalanced quote"']]),
        ("-only -this", []),
    ],
)
def test_a_term_is_read_as_people_mean_it(text, groups):
    assert wanted(text) == groups


def test_exclusions_are_kept_apart_and_stop_words_among_them_are_left_out():
    term = parse_term('kopi -teh -"es teh" -the')
    assert term.wanted == ((Item("kopi"),),)
    assert term.excluded == (Item("teh"), Item("es teh", is_phrase=True))


@pytest.mark.parametrize(
    ("text", "is_prefix"),
    [("read", True), ("good boo", True), ("re", False), ("read ", False), ('"good boo', False), ("buk!", False)],
)
def test_the_last_word_may_be_unfinished_when_asked_for(text, is_prefix):
    assert parse_term(text, as_you_type=True).wanted[-1][-1].is_prefix == is_prefix
    assert not parse_term(text).wanted[-1][-1].is_prefix


@pytest.mark.parametrize("text", ["a" * 1_001, '"' * 200_000])
def test_a_term_that_is_too_long_is_refused(text):
    with pytest.raises(SearchError, match=f"at most {MAX_TERM_CHARACTERS} characters"):
        parse_term(text)


@given(st.text(max_size=MAX_TERM_CHARACTERS), st.booleans())
def test_any_text_can_be_read(text, as_you_type):
    term = parse_term(text, as_you_type=as_you_type)
    assert len(term.wanted) <= MAX_PARTS
    assert len(term.excluded) <= MAX_PARTS
    for item in (*(item for group in term.wanted for item in group), *term.excluded):
        assert item.text.isprintable()
        assert not item.is_prefix or (item.text.isascii() and item.text.isalnum())


@given(st.lists(st.sampled_from(["cat", "or", "-dog", '"a phrase"', "the", "read"]), max_size=8).map(" ".join))
def test_a_term_shown_reads_as_itself(text):
    term = parse_term(text)
    assert parse_term(term.text()).wanted == term.wanted


def test_the_english_stop_words_are_those_that_postgresql_leaves_out(database):
    rows = database.execute(
        "SELECT word FROM unnest(%s::text[]) AS word WHERE to_tsvector('english', word) <> ''",
        [sorted(ENGLISH_STOP_WORDS)],
    )
    assert rows.fetchall() == []
    assert TAUGHT <= ENGLISH_STOP_WORDS
