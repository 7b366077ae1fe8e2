"""ca/adapters/passwords.py: slow, salted, and blind to how a keyboard composes characters."""

from ca.adapters.passwords import Argon2Passwords

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
