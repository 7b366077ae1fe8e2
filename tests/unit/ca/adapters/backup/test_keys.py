"""ca/adapters/backup/keys.py: key pairs as age writes them, and a private key that is never shown or overwritten."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from ca.adapters.backup.keys import Identity, make_identity, parse_recipient, recipient_text
from ca.domain.errors import InvalidRequest, NotReady

# Made by age-keygen 1.1.1.
PUBLIC = "age1zxsd5zt0uq3z6pcmea7w977cz8he8g0vxzh29e04j0cswtkd3qcqgdgtsg"
PRIVATE = "AGE-SECRET-KEY-1KPW8CRLFE48M9FKCFHN6G736CD4QJE4F4Q0N58YZ76EAC7S35ZNQZGCHS3"
AUDIT_KEY = "ab" * 32


def test_keys_are_read_as_age_wrote_them(tmp_path: Path) -> None:
    file = tmp_path / "identity"
    file.write_text(f"# created: 2026-11-28T05:50:00Z\n# public key: {PUBLIC}\n{PRIVATE}\n")

    identity = Identity.read(file)

    assert [recipient_text(key.public_key()) for key in identity.keys] == [PUBLIC]
    assert identity.audit_key == ""
    assert recipient_text(parse_recipient(PUBLIC)) == PUBLIC


def test_a_new_key_opens_what_is_made_for_it_and_names_our_audit_key(tmp_path: Path) -> None:
    file = tmp_path / "identity"

    recipient = make_identity(file, AUDIT_KEY)

    identity = Identity.read(file)
    assert [recipient_text(key.public_key()) for key in identity.keys] == [recipient]
    assert identity.audit_key == AUDIT_KEY
    assert file.stat().st_mode & 0o777 == 0o400


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "identity"
    make_identity(file, AUDIT_KEY)
    before = file.read_bytes()

    with pytest.raises(InvalidRequest, match="never overwritten"):
        make_identity(file, AUDIT_KEY)

    assert file.read_bytes() == before


@given(st.binary(min_size=32, max_size=32), st.integers(0, 57), st.sampled_from("qpzry9x8gf2tvdw0s3jn54khce6mua7l"))
def test_a_mistyped_recipient_is_refused(octets: bytes, place: int, letter: str) -> None:
    text = recipient_text(X25519PrivateKey.from_private_bytes(octets).public_key())
    place += len("age1")
    mistyped = text[:place] + letter + text[place + 1 :]

    if mistyped == text:
        assert recipient_text(parse_recipient(mistyped)) == text
    else:
        with pytest.raises(InvalidRequest):
            parse_recipient(mistyped)


@pytest.mark.parametrize("text", [PRIVATE, "", "age1q", "age1" + "q" * 58, PUBLIC.title(), PUBLIC + "q", "ssh-rsa A"])
def test_what_is_no_recipient_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_recipient(text)
    assert not text or text not in str(refused.value)


@pytest.mark.parametrize("content", ["", "# nothing\n", PUBLIC, "hello\n"])
def test_a_file_without_a_private_key_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "identity").write_text(content)
    with pytest.raises(InvalidRequest):
        Identity.read(tmp_path / "identity")


def test_a_key_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="cannot be read as a key file"):
        Identity.read(tmp_path / "none")
