"""Columns encrypted at rest: unreadable without a key, unchanged in meaning by a new one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from worker.cli import app
from worker.errors import ConfigurationError
from worker.secrets import Cipher, UnreadableSecretError, is_key
from worker.settings import Settings

OLD = "b2xkLWtleS1mb3ItdGVzdHMtb2YtMzItYnl0ZXMtLS0="
NEW = "bmV3LWtleS1mb3ItdGVzdHMtb2YtMzItYnl0ZXMtLS0="


@given(st.text())
def test_text_comes_back_as_it_was_and_is_not_to_be_seen_in_between(text: str):
    cipher = Cipher([NEW])
    stored = cipher.encrypt(text)
    assert cipher.decrypt(stored) == text
    assert len(text) < 8 or text.encode() not in stored
    assert cipher.encrypt(text) != stored


def test_first_key_encrypts_and_all_decrypt():
    stored = Cipher([OLD]).encrypt("token")
    both = Cipher([NEW, OLD])
    assert both.decrypt(stored) == "token"
    assert not both.is_current(stored)
    assert Cipher([NEW]).decrypt(both.encrypt("token")) == "token"


def test_rotated_value_needs_the_new_key_alone_and_is_not_rotated_again():
    stored = Cipher([OLD]).encrypt("token")
    rotated = Cipher([NEW, OLD]).rotate(stored)
    assert Cipher([NEW]).decrypt(rotated) == "token"
    assert Cipher([NEW, OLD]).rotate(rotated) == rotated


@pytest.mark.parametrize("change", [lambda value: value[:-1], lambda value: b"x" + value[1:], lambda value: b""])
def test_altered_or_foreign_value_is_refused(change):
    value = change(Cipher([OLD]).encrypt("token"))
    for attempt in (Cipher([OLD]).decrypt, Cipher([OLD]).rotate):
        with pytest.raises(UnreadableSecretError):
            attempt(value)
    with pytest.raises(UnreadableSecretError):
        Cipher([NEW]).decrypt(Cipher([OLD]).encrypt("token"))


def test_keys_come_from_the_settings_in_their_order():
    cipher = Cipher.from_settings(Settings(encryption_keys=f" {NEW}, {OLD} "))
    assert Cipher([NEW]).decrypt(cipher.encrypt("token")) == "token"
    assert cipher.decrypt(Cipher([OLD]).encrypt("token")) == "token"


@pytest.mark.parametrize("keys", [None, "", " , "])
def test_missing_keys_are_reported_with_the_way_to_make_one(keys: str | None):
    with pytest.raises(ConfigurationError, match="elp keys new"):
        Cipher.from_settings(Settings(encryption_keys=keys))


@pytest.mark.parametrize("wrong", ["s3cret", NEW[:-1], NEW + "=", "ä" * 44, NEW.replace(NEW[3], "!")])
def test_what_is_no_key_is_named_by_its_place_and_never_shown(wrong: str):
    assert not is_key(wrong)
    with pytest.raises(ConfigurationError, match="key 2") as caught:
        Cipher.from_settings(Settings(encryption_keys=f"{OLD},{wrong}"))
    assert wrong not in str(caught.value)


def test_command_prints_a_key_that_works():
    result = CliRunner().invoke(app, ["keys", "new"])
    assert result.exit_code == 0
    assert Cipher([result.stdout.strip()])
