"""ca/adapters/passwords.py: slow, salted, and blind to how a keyboard composes characters."""

import pytest

from ca.adapters import passwords
from ca.adapters.passwords import Argon2Passwords
from ca.domain.errors import NotReady

SALT = bytes(range(16))


def test_the_same_password_and_salt_give_the_same_octets_and_nothing_else_does() -> None:
    stretch = Argon2Passwords().stretch
    first = stretch("correct horse", SALT)

    assert len(first) == 32
    assert stretch("correct horse", SALT) == first
    assert stretch("correct horsE", SALT) != first
    assert stretch("correct horse", SALT[::-1]) != first


def test_composed_and_decomposed_characters_are_the_same_password() -> None:
    stretch = Argon2Passwords().stretch

    assert stretch("caf\u00e9 noir", SALT) == stretch("cafe\u0301 noir", SALT)


def test_who_finds_no_turn_is_told_to_come_back() -> None:
    taken = [passwords._AT_ONCE.acquire(timeout=5) for _ in range(2)]
    try:
        with pytest.raises(NotReady, match="try again"):
            Argon2Passwords(patience=0.01).stretch("correct horse", SALT)
    finally:
        for _ in taken:
            passwords._AT_ONCE.release()
    assert len(Argon2Passwords().stretch("correct horse", SALT)) == 32
