"""ca/adapters/backup/age.py: what was changed, moved, mixed or cut is refused, and `age` itself opens our files."""

import base64
import io
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from ca.adapters.backup.age import PIECE, SealedReader
from ca.adapters.backup.keys import Identity, make_identity, parse_recipient
from ca.domain.errors import InvalidRequest, NotAllowed, PKIError, Tampered
from tests.fakes.backups import sealed

KEY, OTHER = X25519PrivateKey.generate(), X25519PrivateKey.generate()
SEALED_PIECE = PIECE + 16
CONTENT = bytes(range(256)) * (PIECE * 3 // 256) + b"the last piece"
FILE = sealed(CONTENT, KEY.public_key())
HEAD = len(FILE) - 3 * SEALED_PIECE - len(b"the last piece") - 16

# age 1.1.1: for two recipients, the second one's key is below.
OF_AGE = base64.b64decode(
    "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSA2cFd2ZTEvOSt3d1B3UHJIeEUyZERON0VPMFB3cnlSRzV6OTY2ZkVZcWpF"
    "Cm5hYmI1cnJLTTV0UVVqRVdlTnJsL0VkVGh3K0Q2eXhPU05ORjRmU1JrZHMKLT4gWDI1NTE5IDRhYTR6Tzg5SWdhSmRzN2luT0wv"
    "V2ZoQ1FXU2dvQnRXN2pJMG9yYU5HQVUKYWJJRHlpYjk5dFNVNUVaaHRZc3kxUVdZUjVLM2JZczFydmNhM2tDU1hZbwotLS0gME1P"
    "MEQ4S1BOL0RncUZQbWNRa3lYZTA5dnBwM3paMkx3RDBBUTNzeUZmWQp8mAE8fDLKV6ODM4YN8RzJQySzms35J6Nfu4/u5DnqVp6H"
    "mW/iG35R8H0BT0Ou5nL2BQH6lq8IzkE="
)
KEY_OF_AGE = "AGE-SECRET-KEY-1KPW8CRLFE48M9FKCFHN6G736CD4QJE4F4Q0N58YZ76EAC7S35ZNQZGCHS3"


def opened(file: bytes, *keys: X25519PrivateKey) -> bytes:
    return io.BufferedReader(SealedReader(io.BytesIO(file), keys or (KEY,))).read()


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE])
def test_what_was_sealed_is_opened_by_each_recipient_at_every_length(size: int) -> None:
    file = sealed(CONTENT[:size], OTHER.public_key(), KEY.public_key())

    assert opened(file, KEY) == opened(file, OTHER) == CONTENT[:size]
    # A few octets stand anywhere by chance.
    assert size < 64 or CONTENT[:64] not in file


def test_what_age_sealed_is_opened(tmp_path: Path) -> None:
    (tmp_path / "identity").write_text(KEY_OF_AGE)

    assert opened(OF_AGE, *Identity.read(tmp_path / "identity").keys) == b"a bank that lost nothing\n"


@pytest.mark.age
def test_age_opens_what_we_sealed(tmp_path: Path) -> None:
    recipient = make_identity(tmp_path / "identity", "ab" * 32)
    (tmp_path / "file").write_bytes(sealed(CONTENT, OTHER.public_key(), parse_recipient(recipient)))

    ran = subprocess.run(
        ["age", "-d", "-i", tmp_path / "identity", tmp_path / "file"], capture_output=True, check=False
    )

    assert (ran.returncode, ran.stdout == CONTENT) == (0, True), ran.stderr


def test_a_key_it_was_not_made_for_opens_nothing() -> None:
    with pytest.raises(NotAllowed, match="made for other recipients"):
        opened(FILE, OTHER)


@given(st.integers(0, len(FILE) - 1), st.integers(0, 7))
def test_one_bit_anywhere_is_noticed(place: int, bit: int) -> None:
    file = bytearray(FILE)
    file[place] ^= 1 << bit

    with pytest.raises(PKIError) as refused:
        opened(bytes(file))

    # A changed first line is no backup, a changed stanza one for somebody else; everything else is said to be damage.
    expected = (InvalidRequest, NotAllowed, Tampered) if place < HEAD else Tampered
    assert isinstance(refused.value, expected)


@given(st.integers(0, len(FILE) - 1))
def test_a_file_cut_anywhere_is_refused(size: int) -> None:
    with pytest.raises((Tampered, InvalidRequest)):
        opened(FILE[:size])


@pytest.mark.parametrize("pieces", [1, 2, 3])
def test_one_cut_between_two_pieces_is_said_to_be_cut_short(pieces: int) -> None:
    with pytest.raises(Tampered, match="cut short"):
        opened(FILE[: HEAD + pieces * SEALED_PIECE])


def test_pieces_in_another_order_are_refused() -> None:
    first, second = HEAD + SEALED_PIECE, HEAD + 2 * SEALED_PIECE

    with pytest.raises(Tampered, match="damaged"):
        opened(FILE[:HEAD] + FILE[first:second] + FILE[HEAD:first] + FILE[second:])


def test_two_backups_put_together_are_refused() -> None:
    other = sealed(CONTENT, KEY.public_key())

    with pytest.raises(Tampered, match="damaged"):
        opened(FILE[:HEAD] + other[HEAD:])
    with pytest.raises(Tampered, match="damaged"):
        opened(FILE[: HEAD + SEALED_PIECE] + other[HEAD + SEALED_PIECE :])


@pytest.mark.parametrize("more", [b"x", FILE, bytes(SEALED_PIECE)])
def test_what_is_put_behind_the_end_is_refused(more: bytes) -> None:
    with pytest.raises(Tampered):
        opened(FILE + more)


@pytest.mark.parametrize("file", [b"", b"PK\x03\x04", b"SQLite format 3\x00", b"age-encryption.org/v2\n-> X25519 a\n"])
def test_another_file_is_no_backup(file: bytes) -> None:
    with pytest.raises(InvalidRequest, match="no backup"):
        opened(file)


@given(st.binary(max_size=400))
def test_garbage_behind_the_first_line_is_refused_with_a_sentence(garbage: bytes) -> None:
    with pytest.raises((Tampered, NotAllowed)):
        opened(b"age-encryption.org/v1\n" + garbage)
