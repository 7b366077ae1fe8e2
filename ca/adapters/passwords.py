"""Argon2id: the adapter of portal_records.Passwords.

Parameters: RFC 9106 section 4, second recommended option (64 MiB, 3 passes), one lane because the signer's threads are
shared. Two at once, lest a crowd of guessers take the signer's memory.
"""

import threading
import unicodedata

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from ca.domain.errors import NotReady

_OCTETS = 32
_PASSES = 3
_KIB = 64 * 1024
_AT_ONCE = threading.Semaphore(2)


class Argon2Passwords:
    """portal_records.Passwords."""

    def __init__(self, *, patience: float = 2.0) -> None:
        """`patience`: seconds that one waits for its turn at most."""
        self._patience = patience

    def stretch(self, password: str, salt: bytes) -> bytes:
        # The same password typed on another keyboard may come in another form of Unicode (RFC 8265 section 4.2).
        secret = unicodedata.normalize("NFKC", password).encode("utf-8")
        # A crowd of guessers must not hold the signer's threads, which issue and revoke as well.
        if not _AT_ONCE.acquire(timeout=self._patience):
            raise NotReady("too many customers sign in at this moment; try again in a minute")
        try:
            return Argon2id(salt=salt, length=_OCTETS, iterations=_PASSES, lanes=1, memory_cost=_KIB).derive(secret)
        finally:
            _AT_ONCE.release()
