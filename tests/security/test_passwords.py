"""Passwords: as much work whether there is an account or not, and no password mistaken for another."""

import bcrypt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.security import passwords
from worker.security.passwords import UnfitPasswordError, compute, cost_of, is_outdated, make_hash, prepared, salt_of

FIT = st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), min_size=8, max_size=18)


@settings(max_examples=25)
@given(password=FIT, other=FIT)
def test_password_is_recognised_and_no_other_is(password: str, other: str):
    stored = make_hash(password, 4)
    assert compute(password, salt_of(stored), 4) == stored
    assert (compute(other, salt_of(stored), 4) == stored) == (prepared(password) == prepared(other))


def test_letter_with_an_accent_is_the_same_however_it_is_typed():
    stored = make_hash("caf\u00e9 kopi", 4)
    assert compute("cafe\u0301 kopi", salt_of(stored), 4) == stored


def test_hash_is_not_outdated_until_the_cost_changes():
    stored = make_hash("correct horse", 5)
    assert cost_of(stored) == 5
    assert not is_outdated(stored, 5)
    assert is_outdated(stored, 6)
    assert is_outdated(stored, 4)
    assert is_outdated(stored.replace("$2b$", "$2a$"), 5)


@pytest.mark.parametrize(
    ("password", "reason"),
    [("x" * 73, "72 bytes"), ("é" * 37, "72 bytes"), ("nul\0inside", "u0000"), ("half\ud800", "half a character")],
)
def test_password_that_bcrypt_could_mistake_is_refused_with_the_reason(password: str, reason: str):
    for attempt in (lambda: make_hash(password, 4), lambda: compute(password, None, 4)):
        with pytest.raises(UnfitPasswordError, match=reason):
            attempt()


def test_72_bytes_are_taken_and_8_characters_are_enough():
    assert make_hash("é" * 36, 4)
    assert make_hash("8 letter", 4)
    with pytest.raises(UnfitPasswordError, match="shorter than 8"):
        make_hash("7 lette", 4)


@pytest.mark.parametrize("stored_cost", [None, 4, 5, 6, 7])
def test_work_is_the_same_whether_there_is_an_account_and_however_old_its_hash(stored_cost, monkeypatch):
    # Rounds are counted, since seconds depend on the machine.
    salt = None if stored_cost is None else salt_of(make_hash("correct horse", stored_cost))
    rounds = []
    hashing = bcrypt.hashpw

    def counted(password: bytes, salt: bytes) -> bytes:
        rounds.append(2 ** int(salt.split(b"$")[2]))
        return hashing(password, salt)

    monkeypatch.setattr(passwords.bcrypt, "hashpw", counted)
    compute("wrong horse", salt, 7)
    assert sum(rounds) == 2**7
