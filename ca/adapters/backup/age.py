"""Files encrypted to public keys, written and read as a stream: the published format age v1 (C2SP, age-encryption.org).

The file key is wrapped to each recipient by X25519, HKDF and ChaCha20-Poly1305; what follows is sealed in pieces of
64 KiB that carry their number, the last one marked as the last. So nothing is given out that was changed, moved or cut
off, and no more than a piece is in memory. The program `age` opens these files, too.
"""

import base64
import binascii
import io
import os
from collections.abc import Sequence
from typing import BinaryIO

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ca.domain.errors import InvalidRequest, NotAllowed, Tampered

PIECE = 64 * 1024
_TAG = 16
_VERSION = b"age-encryption.org/v1\n"
_WRAP = b"age-encryption.org/v1/X25519"
_LONGEST_HEAD = 64 * 1024
_LONGEST_LINE = 4096
_NONCE = 16
_KEY = 16


class SealedWriter(io.RawIOBase):
    """What is written into it goes encrypted into the file. Only `finish` makes it whole."""

    def __init__(self, file: BinaryIO, recipients: Sequence[X25519PublicKey]) -> None:
        super().__init__()
        file_key, nonce = os.urandom(_KEY), os.urandom(_NONCE)
        head = _VERSION + b"".join(_stanza(file_key, each) for each in recipients) + b"---"
        file.write(head + b" " + _b64(_head_mac(file_key, head)) + b"\n" + nonce)
        self._file = file
        self._cipher = ChaCha20Poly1305(_derived(file_key, nonce, b"payload"))
        self._waiting = bytearray()
        self._number = 0

    def writable(self) -> bool:
        return True

    def write(self, content: bytes | bytearray | memoryview) -> int:  # type: ignore[override]  # all that is asked here
        self._waiting += content
        # One piece is kept back: whether it is the last shows at the end.
        while len(self._waiting) > PIECE:
            self._seal(bytes(self._waiting[:PIECE]), last=False)
            del self._waiting[:PIECE]
        return len(content)

    def finish(self) -> None:
        """Without it a reader is told that the end is missing."""
        self._seal(bytes(self._waiting), last=True)

    def _seal(self, piece: bytes, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_piece_nonce(self._number, last=last), piece, None))
        self._number += 1


class SealedReader(io.RawIOBase):
    """What was encrypted, read from the beginning to the end. Nothing is given out that was not authenticated."""

    def __init__(self, file: BinaryIO, identities: Sequence[X25519PrivateKey]) -> None:
        """Raises InvalidRequest when it is no such file, NotAllowed when none of these keys opens it, Tampered."""
        super().__init__()
        self._file = file
        head, stanzas, mac = _read_head(file)
        file_key = _opened(stanzas, identities)
        check = HMAC(_derived(file_key, b"", b"header"), SHA256())
        check.update(head)
        try:
            check.verify(mac)
        except InvalidSignature as error:
            raise Tampered("the head of the backup was changed; take another copy of it") from error
        nonce = file.read(_NONCE)
        self._cipher = ChaCha20Poly1305(_derived(file_key, nonce, b"payload"))
        self._number = 0
        self._piece = b""
        self._at = 0
        self._next = file.read(PIECE + _TAG)
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, into: bytearray | memoryview) -> int:  # type: ignore[override]  # all that is asked here
        if self._at == len(self._piece) and not self._ended:
            self._piece, self._at = self._open(), 0
        taken = self._piece[self._at : self._at + len(into)]
        into[: len(taken)] = taken
        self._at += len(taken)
        return len(taken)

    def _open(self) -> bytes:
        sealed, self._next = self._next, self._file.read(PIECE + _TAG)
        self._ended = not self._next
        try:
            piece = self._cipher.decrypt(_piece_nonce(self._number, last=self._ended), sealed, None)
        except InvalidTag as error:
            raise Tampered(self._what_is_wrong(sealed)) from error
        self._number += 1
        return piece

    def _what_is_wrong(self, sealed: bytes) -> str:
        try:
            self._cipher.decrypt(_piece_nonce(self._number, last=not self._ended), sealed, None)
        except InvalidTag:
            cut = " or cut short" if self._ended else ""
            place = f"behind {self._number * PIECE} octets of its content"
            return f"the backup is damaged{cut} {place}; take another copy of it"
        if self._ended:
            return f"the backup is cut short: it ends after {self._number + 1} pieces; take another copy of it"
        return "something was put behind the end of the backup; take another copy of it"


def _stanza(file_key: bytes, recipient: X25519PublicKey) -> bytes:
    ephemeral = X25519PrivateKey.generate()
    share = ephemeral.public_key().public_bytes_raw()
    wrapping = _derived(ephemeral.exchange(recipient), share + recipient.public_bytes_raw(), _WRAP)
    wrapped = ChaCha20Poly1305(wrapping).encrypt(bytes(12), file_key, None)
    return b"-> X25519 " + _b64(share) + b"\n" + _b64(wrapped) + b"\n"


def _read_head(file: BinaryIO) -> tuple[bytes, list[tuple[list[bytes], bytes]], bytes]:
    """What the MAC is over, the recipients' stanzas (arguments, body), and the MAC."""
    if file.readline(len(_VERSION)) != _VERSION:
        raise InvalidRequest("this file is no backup: it does not begin as one")
    head, stanzas = _VERSION, list[tuple[list[bytes], bytes]]()
    while len(head) < _LONGEST_HEAD:
        line = file.readline(_LONGEST_LINE)
        if line.startswith(b"--- "):
            return head + b"---", stanzas, _unb64(line[4:].rstrip(b"\n"))
        head += line
        if line.startswith(b"-> "):
            stanzas.append((line[3:].split(), b""))
        elif stanzas and line.endswith(b"\n"):
            arguments, body = stanzas[-1]
            stanzas[-1] = arguments, body + line.rstrip(b"\n")
        else:
            break
    raise Tampered("the head of the backup is damaged or cut short; take another copy of it")


def _opened(stanzas: Sequence[tuple[list[bytes], bytes]], identities: Sequence[X25519PrivateKey]) -> bytes:
    for arguments, body in stanzas:
        if arguments[:1] != [b"X25519"] or len(arguments) != 2:
            continue
        share, wrapped = _unb64(arguments[1]), _unb64(body)
        for identity in identities:
            public = identity.public_key().public_bytes_raw()
            try:
                shared = identity.exchange(X25519PublicKey.from_public_bytes(share))
                key = ChaCha20Poly1305(_derived(shared, share + public, _WRAP)).decrypt(bytes(12), wrapped, None)
            except (InvalidTag, ValueError):
                continue  # for another recipient
            if len(key) == _KEY:
                return key
    raise NotAllowed("this key does not open the backup: it was made for other recipients")


def _derived(secret: bytes, salt: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, purpose).derive(secret)


def _head_mac(file_key: bytes, head: bytes) -> bytes:
    mac = HMAC(_derived(file_key, b"", b"header"), SHA256())
    mac.update(head)
    return mac.finalize()


def _piece_nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _b64(octets: bytes) -> bytes:
    return base64.b64encode(octets).rstrip(b"=")


def _unb64(text: bytes) -> bytes:
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error as error:
        raise Tampered("the head of the backup is damaged; take another copy of it") from error
