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
