import pytest

from ushield.errors import UnacceptablePassword
from ushield.passwords import require_acceptable


@pytest.mark.parametrize("password", ["abc129", "Zx81Qw", "7291835", "Pass1word"[:8], "q1w2e3r4", "20260b", "111112"])
def test_six_to_eight_letters_and_digits_are_accepted(password: str) -> None:
    require_acceptable(password)


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("", "letters"),
        ("ab12c", "6 to 8 characters"),
        ("ab12cd34e", "6 to 8 characters"),
        ("abc 12", "letters"),
        ("abc-12", "letters"),
        ("abc12\u00e9", "letters"),
        ("\uff11\uff12\uff13\uff19\uff18\uff11", "letters"),  # full-width digits
        ("\u4f60\u597d\u4f60\u597d\u4f60\u597d", "letters"),
        ("12345678", "every new U-Shield"),
        ("111111", "repeated"),
        ("aAaAaA", "repeated"),
        ("123456", "simple sequence"),
        ("87654321", "simple sequence"),
        ("890123", "simple sequence"),
        ("abcdef", "simple sequence"),
        ("FEDCBA", "simple sequence"),
        ("qwertyui", "simple sequence"),
    ],
)
def test_a_password_that_is_refused_says_why(password: str, why: str) -> None:
    with pytest.raises(UnacceptablePassword, match=why):
        require_acceptable(password)


@pytest.mark.parametrize(
    ("password", "own"),
    [
        ("345678a", "US-345678A"),
        ("310115", "CN=Wei,2.5.4.5=310115197001011234"),
        ("123498", "1234-98 7650"),
        ("zhang1", "CN=Zhang1 Wei"),
        ("A1B2C3", "0a1b2c3d4e5f6071"),
        ("654329x", "CN=X,serialNumber=654329"),
    ],
)
def test_a_number_of_ones_own_is_refused_as_a_password(password: str, own: str) -> None:
    require_acceptable("other4x", ["", own])
    with pytest.raises(UnacceptablePassword, match="your papers or on the U-Shield"):
        require_acceptable(password, ["", own])


def test_a_short_word_of_a_name_forbids_nothing() -> None:
    require_acceptable("Wei7lang", ["CN=Zhang Wei"])
