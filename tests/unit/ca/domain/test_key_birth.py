"""What may be said of how a key was made, and which of it refuses the key."""

import pytest

from ca.domain.algorithms import KeyAlgorithm
from ca.domain.errors import InvalidRequest
from ca.domain.key_birth import KeyBirth

BORN = "key-birth-1 local=yes always-sensitive=yes never-extractable=yes extractable=no mechanism=00001040"
EC, RSA = KeyAlgorithm.EC_P256, KeyAlgorithm.RSA_2048


def said(*changes: tuple[str, str]) -> KeyBirth:
    text = BORN
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return KeyBirth.parse(text)


def test_a_key_that_was_made_on_the_token_and_never_leaves_it_has_no_flaw() -> None:
    assert said().flaws(EC) == []
    assert said(("00001040", "00000000")).flaws(RSA) == []


@pytest.mark.parametrize("text", [BORN, BORN.replace("00001040", "unknown"), BORN.replace("=yes", "=no")])
def test_it_is_told_again_as_it_was_said(text: str) -> None:
    assert KeyBirth.parse(text).text == text


@pytest.mark.parametrize(
    ("old", "new", "flaw"),
    [
        (" local=yes", " local=no", "not made on the U-Shield"),
        ("always-sensitive=yes", "always-sensitive=no", "shown in the clear"),
        ("never-extractable=yes", "never-extractable=no", "taken out"),
        (" extractable=no", " extractable=yes", "taken out"),
        ("00001040", "00000000", "no key of its kind"),
        ("00001040", "00000350", "no key of its kind"),
    ],
)
def test_each_flaw_is_named(old: str, new: str, flaw: str) -> None:
    (found,) = said((old, new)).flaws(EC)
    assert flaw in found


@pytest.mark.parametrize("mechanism", ["unknown", "80000001"])
def test_a_token_that_does_not_tell_its_mechanism_or_has_one_of_its_own_is_believed(mechanism: str) -> None:
    assert said(("00001040", mechanism)).flaws(EC) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        BORN + " ",
        BORN + "\n",
        BORN.upper(),
        BORN.replace("key-birth-1", "key-birth-2"),
        BORN.replace(" local=yes", " local=maybe"),
        BORN.replace(" local=yes", ""),
        BORN.replace("mechanism=00001040", "mechanism=1040"),
        BORN + " local=no",
    ],
)
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="newest"):
        KeyBirth.parse(text)
