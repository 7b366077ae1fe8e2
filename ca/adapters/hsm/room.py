"""The tokens of a key ceremony, one at a time: a process can have only one SoftHSM token directory open."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ca.adapters.hsm.key_store import Pkcs11KeyStore
from ca.adapters.hsm.seals import Pkcs11Seals, generate_seal_key
from ca.adapters.hsm.sessions import TokenSessions
from ca.adapters.hsm.tokens import HsmToken, TokenDirectory, initialise_token
from ca.domain.errors import InvalidRequest
from ca.ports import KeyId


class SoftHsmRoom:
    """Implements `keeping.KeyRoom` over SoftHSM token directories; `labels` names the tokens a script may use."""

    def __init__(self, directory: Path, labels: Mapping[str, str], module: Path | None = None) -> None:
        self._directory = directory
        self._labels = labels
        self._module = module

    @property
    def places(self) -> Collection[str]:
        """The tokens there can be, by name."""
        return tuple(self._labels)

    def make_token(self, token: str) -> None:
        """A new token with random PINs. Raises NotReady when there is one already."""
        initialise_token(self._place(token), self._labels[token], self._module)

    @contextmanager
    def enter(self, token: str) -> Iterator[Pkcs11KeyStore]:
        """The token's keys, while the block runs."""
        with self._open(token) as sessions:
            yield Pkcs11KeyStore(sessions)

    @contextmanager
    def seals(self, token: str, key: KeyId) -> Iterator[Pkcs11Seals]:
        """Seals under a key of the token, while the block runs."""
        with self._open(token) as sessions:
            yield Pkcs11Seals(sessions, key)

    def make_seal_key(self, token: str, key: KeyId) -> None:
        """A secret key that can only seal and never leave."""
        with self._open(token) as sessions:
            generate_seal_key(sessions, key, key.decode())

    def _open(self, token: str) -> TokenSessions:
        return TokenSessions.open(self._token(token), workers=1)

    def _token(self, token: str) -> HsmToken:
        return self._place(token).token(self._labels[token], self._module)

    def _place(self, token: str) -> TokenDirectory:
        if token not in self._labels:
            raise InvalidRequest(f"there is no token {token!r}; there are {', '.join(self._labels)}")
        return TokenDirectory(self._directory / token)
