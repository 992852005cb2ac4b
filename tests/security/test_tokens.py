"""Tokens are told by their shape, and kept as digests alone."""

import pytest

from worker.logging import masked
from worker.security.tokens import digest, draw, kind_of


@pytest.mark.parametrize("kind", ["elp", "els"])
def test_token_says_what_it_is_and_shows_itself_nowhere(kind):
    token = draw(kind)
    assert kind_of(token.text) == kind
    assert token.digest == digest(token.text)
    assert token.text not in repr(token)
    assert token.text.startswith(token.prefix)
    assert token.text not in masked(f"something failed with {token.text} in it")
    assert len({draw(kind).text for _ in range(100)}) == 100


def test_what_nobody_can_have_is_known_without_a_look_up():
    text = draw("elp").text
    swapped = text[:-1] + ("0" if text[-1] != "0" else "1")
    for wrong in ("", "elp_", text[:-1], text + "0", swapped, text.upper(), f" {text}", "elx" + text[3:]):
        assert kind_of(wrong) is None
