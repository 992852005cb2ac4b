"""Options in an order that gives nothing away, with letters for ids."""

from collections.abc import Sequence
from random import Random
from string import ascii_lowercase
from typing import Any

OPTION_LETTERS = ascii_lowercase


def lettered(texts: Sequence[str], chance: Random) -> tuple[list[dict[str, str]], list[str]]:
    """Return the texts as shuffled options a, b, c …, and for each text (in the order given) the id of its option."""
    order = chance.sample(range(len(texts)), len(texts))
    options = [{"id": OPTION_LETTERS[place], "text": texts[at]} for place, at in enumerate(order)]
    ids = [OPTION_LETTERS[order.index(at)] for at in range(len(texts))]
    return options, ids


def paired(lefts: Sequence[str], rights: Sequence[str], chance: Random) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the two sides of a matching question, each shuffled, and which left id goes with which right id."""
    left_order = chance.sample(range(len(lefts)), len(lefts))
    right_order = chance.sample(range(len(rights)), len(rights))
    options = {
        "left": [{"id": f"l{place}", "text": lefts[at]} for place, at in enumerate(left_order, start=1)],
        "right": [{"id": f"r{place}", "text": rights[at]} for place, at in enumerate(right_order, start=1)],
    }
    pairs = {f"l{place}": f"r{right_order.index(at) + 1}" for place, at in enumerate(left_order, start=1)}
    return options, pairs


def ordered_tokens(tokens: Sequence[str], chance: Random) -> tuple[list[dict[str, str]], list[str]]:
    """Return the tokens of a sentence as shuffled options, never in the right order, and the right order of ids.

    Raises:
        ValueError: all tokens read the same, so that there is no wrong order.
    """
    if len(set(tokens)) == 1:
        raise ValueError("tokens that all read the same cannot be put in a wrong order")
    while True:
        options, order = lettered(tokens, chance)
        if [option["text"] for option in options] != list(tokens):
            return options, order
