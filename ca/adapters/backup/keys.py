"""Whom a backup is encrypted to: X25519 key pairs, written as age writes them (C2SP, age v1: Bech32 of BIP 173).

A public key is `age1…`; the private key stands in a file that also `age -d -i` reads. Beside it stands the SHA-256 of
the audit key: whoever restores can then tell our backup from another's.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from ca.domain.errors import InvalidRequest, NotReady

_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_RECIPIENT, _IDENTITY = "age", "age-secret-key-"
_AUDIT_KEY = re.compile(r"^# audit key: ([0-9a-f]{64})$", re.MULTILINE)


@dataclass(frozen=True)
class Identity:
    """The private keys that open a backup, and whose backup it has to be."""

    keys: tuple[X25519PrivateKey, ...]
    audit_key: str
    """SHA-256 of the audit key's SubjectPublicKeyInfo in hexadecimal; empty when the file does not say it."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises InvalidRequest, NotReady."""
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise NotReady(f"{path} cannot be read as a key file; it is the one that ./pki backup-key wrote") from error
        lines = [line.strip() for line in text.splitlines()]
        keys = [line for line in lines if line and not line.startswith("#")]
        if not keys:
            raise InvalidRequest(f"{path} holds no private key")
        found = _AUDIT_KEY.search(text)
        octets = [_decoded(_IDENTITY, key, f"{path} holds a line that is no private key") for key in keys]
        return cls(tuple(map(X25519PrivateKey.from_private_bytes, octets)), found[1] if found else "")


def make_identity(path: Path, audit_key: str) -> str:
    """A new key pair, its private half into a new file for its owner alone; the public half as text.

    Raises InvalidRequest when the file is there, NotReady when it cannot be written.
    """
    key = X25519PrivateKey.generate()
    recipient = recipient_text(key.public_key())
    secret = _encoded(_IDENTITY, key.private_bytes_raw()).upper()
    text = f"# public key: {recipient}\n# audit key: {audit_key}\n{secret}\n"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o400)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError as error:
        raise InvalidRequest(f"{path} is there already; a key is never overwritten") from error
    except OSError as error:
        raise NotReady(f"{path} cannot be written: {error.strerror}") from error
    return recipient


def recipient_text(key: X25519PublicKey) -> str:
    """`age1…`"""
    return _encoded(_RECIPIENT, key.public_bytes_raw())


def parse_recipient(text: str) -> X25519PublicKey:
    """Raises InvalidRequest, also for a private key, without repeating it."""
    return X25519PublicKey.from_public_bytes(_decoded(_RECIPIENT, text, "a recipient is a public key like age1…"))


def _encoded(prefix: str, octets: bytes) -> str:
    words = _regrouped(octets, 8, 5, fill=True)
    checksum = _polymod([*_expanded(prefix), *words, *([0] * 6)]) ^ 1
    words += [(checksum >> 5 * (5 - place)) & 31 for place in range(6)]
    return f"{prefix}1{''.join(_ALPHABET[word] for word in words)}"


def _decoded(prefix: str, text: str, wrong: str) -> bytes:
    """The 32 octets. Raises InvalidRequest with the sentence `wrong`."""
    lower = text.lower()
    begins, _, rest = lower.rpartition("1")
    if text not in {lower, text.upper()} or begins != prefix or any(each not in _ALPHABET for each in rest):
        raise InvalidRequest(wrong)
    words = [_ALPHABET.index(each) for each in rest]
    if len(words) < 6 or _polymod([*_expanded(prefix), *words]) != 1:
        raise InvalidRequest(f"{wrong}: it was mistyped")
    octets = bytes(_regrouped(words[:-6], 5, 8, fill=False))
    if len(octets) != 32:
        raise InvalidRequest(wrong)
    return octets


def _expanded(prefix: str) -> list[int]:
    return [*(ord(each) >> 5 for each in prefix), 0, *(ord(each) & 31 for each in prefix)]


def _polymod(words: Iterable[int]) -> int:
    checksum = 1
    for word in words:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ word
        for place, generator in enumerate(_GENERATOR):
            checksum ^= generator if top >> place & 1 else 0
    return checksum


def _regrouped(words: Iterable[int], width: int, wanted: int, *, fill: bool) -> list[int]:
    value = bits = 0
    found = []
    for word in words:
        value, bits = value << width | word, bits + width
        while bits >= wanted:
            bits -= wanted
            found.append(value >> bits & ((1 << wanted) - 1))
    if fill and bits:
        found.append(value << (wanted - bits) & ((1 << wanted) - 1))
    return found
